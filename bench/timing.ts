/** How the benches take time: calls in a row, medians, and sides that take turns. */

export const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1];

/** The median seconds of a call, over calls for about `budget` seconds, after calls for `warmUp` seconds. */
export function medianSeconds(work: () => unknown, budget: number, warmUp = 0): number {
  const timed = (count: number): number => {
    const before = performance.now();
    for (let i = 0; i < count; i++) work();
    return (performance.now() - before) / 1000;
  };
  const begun = performance.now();
  for (let i = 0; i < 3 || performance.now() - begun < warmUp * 1000; i++) work();
  let inner = 1;
  for (let taken = timed(inner); taken < 2e-3; taken = timed(inner))
    inner = Math.max(inner + 1, Math.min(inner * 10, Math.ceil((inner * 3e-3) / (taken + 1e-9))));
  const times: number[] = [];
  const started = performance.now();
  while (times.length < 5 || performance.now() - started < budget * 1000) times.push(timed(inner) / inner);
  return median(times);
}

/** Seconds of a call, or a rate, by name. */
export type Numbers = Record<string, number>;

/** Runs the measurements in turn, several rounds: the median of each number of each. */
export function inTurn(measurements: readonly (() => Numbers)[], rounds: number): Numbers[] {
  const all: Numbers[][] = measurements.map(() => []);
  for (let round = 0; round < rounds; round++)
    measurements.forEach((measure, i) => {
      all[i].push(measure());
    });
  return all.map((list) =>
    Object.fromEntries(Object.keys(list[0]).map((name) => [name, median(list.map((result) => result[name]))])),
  );
}

export const geometricMean = (list: readonly number[]): number =>
  Math.exp(list.reduce((sum, ratio) => sum + Math.log(ratio), 0) / list.length);
