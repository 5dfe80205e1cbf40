/**
 * The line search of L-BFGS: a step that satisfies the strong Wolfe conditions, by bracketing and cubic interpolation.
 */
import type { Tensor } from '../tensor/tensor.js';

/** What is known at a step length: loss, gradient, and the gradient along the direction. */
export interface Evaluation {
  readonly t: number;
  readonly loss: number;
  readonly gradient: Tensor;
  readonly slope: number;
}

/**
 * The minimum of the cubic through two points with their slopes, kept within bounds (the points themselves by default).
 */
function cubicMinimum(a: Evaluation, b: Evaluation, low = Math.min(a.t, b.t), high = Math.max(a.t, b.t)): number {
  const d1 = a.slope + b.slope - (3 * (a.loss - b.loss)) / (a.t - b.t);
  const square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const d2 = Math.sqrt(square);
  const minimum =
    a.t <= b.t
      ? b.t - (b.t - a.t) * ((b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2))
      : a.t - (a.t - b.t) * ((a.slope + d2 - d1) / (a.slope - b.slope + 2 * d2));
  return Math.min(Math.max(minimum, low), high);
}

/**
 * Loss falls by at least c1 t slope and the slope shrinks to c2 of its size (Nocedal and Wright, algorithm 3.5).
 * `evaluate` yields where it needs the closure. Returns the evaluation to go on from and how many there were.
 */
export function* strongWolfe(
  evaluate: (t: number) => Generator<undefined, Evaluation, unknown>,
  start: number,
  direction: Tensor,
  origin: Omit<Evaluation, 't'>,
  { toleranceChange, maxIterations }: { toleranceChange: number; maxIterations: number },
): Generator<undefined, { evaluation: Evaluation; calls: number }, unknown> {
  const c1 = 1e-4;
  const c2 = 0.9;
  const zero: Evaluation = { t: 0, ...origin };
  const falls = (e: Evaluation): boolean => e.loss <= zero.loss + c1 * e.t * zero.slope;
  const flat = (e: Evaluation): boolean => Math.abs(e.slope) <= -c2 * zero.slope;
  const size = Number(direction.abs().max().item());
  let current = yield* evaluate(start);
  let calls = 1;
  let previous = zero;
  let iterations = 0;
  let done = false;
  let bracket: Evaluation[] | null = null;

  while (iterations < maxIterations) {
    if (!falls(current) || (iterations > 1 && current.loss >= previous.loss)) {
      bracket = [previous, current];
      break;
    }
    if (flat(current)) {
      bracket = [current];
      done = true;
      break;
    }
    if (current.slope >= 0) {
      bracket = [previous, current];
      break;
    }
    const t = cubicMinimum(previous, current, current.t + 0.01 * (current.t - previous.t), current.t * 10);
    previous = current;
    current = yield* evaluate(t);
    calls++;
    iterations++;
  }
  bracket ??= [zero, current];

  let stalled = false;
  let [low, high] = bracket[0].loss <= bracket[bracket.length - 1].loss ? [0, 1] : [1, 0];
  while (!done && iterations < maxIterations) {
    const left = Math.min(bracket[0].t, bracket[1].t);
    const right = Math.max(bracket[0].t, bracket[1].t);
    if ((right - left) * size < toleranceChange) break;
    let t = cubicMinimum(bracket[0], bracket[1]);
    const margin = 0.1 * (right - left);
    if (Math.min(right - t, t - left) < margin) {
      // Close to an end: move off it, at once where the last step was close too.
      if (stalled || t >= right || t <= left) {
        t = Math.abs(t - right) < Math.abs(t - left) ? right - margin : left + margin;
        stalled = false;
      } else stalled = true;
    } else stalled = false;
    current = yield* evaluate(t);
    calls++;
    iterations++;
    if (!falls(current) || current.loss >= bracket[low].loss) {
      bracket[high] = current;
      [low, high] = bracket[0].loss <= bracket[1].loss ? [0, 1] : [1, 0];
    } else {
      if (flat(current)) done = true;
      else if (current.slope * (bracket[high].t - bracket[low].t) >= 0) bracket[high] = bracket[low];
      bracket[low] = current;
    }
  }
  return { evaluation: bracket[low], calls };
}
