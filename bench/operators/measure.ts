/**
 * Our side of `npm run bench -- operators`, in a process of its own. Usage: measure.ts SECONDS WARM_UP FILE. Prints a
 * JSON object: seconds of a call by line of the file and direction.
 */
import { readFileSync } from 'node:fs';
import * as nodegrad from 'nodegrad';
import { autograd, manualSeed, noGrad, rand, randint, randn, Tensor } from 'nodegrad';
import { medianSeconds } from '../timing.js';

const [budget, warmUp] = process.argv.slice(2, 4).map(Number);

const camelCase = (expression: string): string =>
  expression.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/** What a call is measured with: the function and its arguments, made once. */
interface Call {
  readonly fn: (...args: unknown[]) => unknown;
  readonly args: readonly unknown[];
}
/** The functions of a namespace, which note their arguments instead of being called. */
function recorder(namespace: object): object {
  return new Proxy(namespace, {
    get:
      (target, name): ((...args: unknown[]) => Call) =>
      (...args) => ({ fn: (target as Record<string | symbol, Call['fn']>)[name], args }),
  });
}

const inputs = {
  randn,
  rand,
  randint,
  positive: (shape: number[]) => rand(shape).add(0.5),
  transposed: (x: Tensor, a: number, b: number) => x.transpose(a, b),
  bfloat16: (x: Tensor) => x.to('bfloat16'),
  torchBool: (shape: number[]) => rand(shape).gt(0.5),
  sortedValues: (shape: number[]) => rand(shape).sort().values,
  none: null,
};
const names = { ...inputs, torch: recorder(nodegrad), F: recorder(nodegrad.nn.functional) };

const tensorsOf = (value: unknown): Tensor[] =>
  value instanceof Tensor ? [value] : Array.isArray(value) ? value.flatMap(tensorsOf) : [];

const results: Record<string, number> = {};
for (const expression of readFileSync(process.argv[4], 'utf8').split('\n')) {
  manualSeed(0);
  const { fn, args } = new Function(...Object.keys(names), `return ${camelCase(expression)}`)(
    ...Object.values(names),
  ) as Call;
  results[`${expression} forward`] = medianSeconds(() => noGrad(() => fn(...args)), budget, warmUp);
  const leaves = tensorsOf(args).filter((x) => x.isFloatingPoint());
  for (const x of leaves) x.requiresGrad_();
  const result = fn(...args);
  const y = tensorsOf(result)[0] ?? (result as { values: Tensor }).values;
  if (!y.requiresGrad) continue;
  const gradOutputs = y.detach().clone();
  results[`${expression} backward`] = medianSeconds(
    () => autograd.grad(y, leaves, { gradOutputs, retainGraph: true, allowUnused: true }),
    budget,
    warmUp,
  );
}
console.log(JSON.stringify(results));
