/** Measures cases in a process of its own. Usage: measure.ts SECONDS SECTION NAME... Prints a JSON object: seconds of a call by name. */
import { workOf } from './cases.js';

const [budget, section, ...names] = process.argv.slice(2);

/** The median seconds of a call, over calls for about `budget` seconds. */
function medianSeconds(work: () => unknown): number {
  const timed = (count: number): number => {
    const before = performance.now();
    for (let i = 0; i < count; i++) work();
    return (performance.now() - before) / 1000;
  };
  for (let i = 0; i < 3; i++) work();
  let inner = 1;
  for (let taken = timed(inner); taken < 2e-3; taken = timed(inner)) inner = Math.max(inner + 1, Math.min(inner * 10, Math.ceil((inner * 3e-3) / (taken + 1e-9))));
  const times: number[] = [];
  const started = performance.now();
  while (times.length < 5 || performance.now() - started < Number(budget) * 1000) times.push(timed(inner) / inner);
  times.sort((a, b) => a - b);
  return times[times.length >> 1];
}

const results: Record<string, number> = {};
for (const name of names) results[name] = medianSeconds(workOf(section, name));
console.log(JSON.stringify(results));
