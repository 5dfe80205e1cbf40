/**
 * Calls of PyTorch's functions with their results, as scripts/fixtures/calls.py writes them: read, called here, and
 * compared element by element.
 */
import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import * as nodegrad from '../../lib/index.js';
import { autograd, type DType, NodegradError, Tensor, tensor } from '../../lib/index.js';

/** A tensor; of a result, its first elements only. */
export interface Encoded {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly values: readonly (number | string | boolean)[];
}
/** A tensor whose elements both languages make by one rule (`Generated` in calls.py). */
export interface Generated {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly scale: number;
  readonly offset: number;
  readonly seed: number;
}

export interface RecordedCall {
  readonly fn: string;
  readonly args: readonly unknown[];
  readonly options: Readonly<Record<string, unknown>>;
  /** True where PyTorch raises; there is nothing else then. */
  readonly raises?: boolean;
  readonly outputs: readonly Encoded[];
  /**
   * Positions of the arguments that are differentiated, and their gradients, from generated gradients of the outputs.
   */
  readonly leaves?: readonly number[];
  readonly gradients?: readonly (Encoded | null)[];
  /**
   * What PyTorch's float64 gives, rounded to the type of the results once: where it differs from what PyTorch gives in
   * that type.
   */
  readonly wide?: { readonly outputs?: readonly Encoded[]; readonly gradients?: readonly (Encoded | null)[] };
}

/** How far a result may be from PyTorch's. */
export interface Tolerance {
  readonly rtol: number;
  readonly atol: number;
  /** Whether results are sums of elements that may cancel: the relative distance is then to the largest result. */
  readonly cancelling?: boolean;
}

/** The calls of a fixture. */
export function recordedCalls(name: string): readonly RecordedCall[] {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}`, import.meta.url), 'utf8')) as RecordedCall[];
}

function isEncoded(value: unknown): value is Encoded | Generated {
  return typeof value === 'object' && value !== null && 'dtype' in value;
}

/** The tensor that the rule makes. */
export function generated({ dtype, shape, scale, offset, seed }: Generated): Tensor {
  const count = shape.reduce((product, n) => product * n, 1);
  const values = Float64Array.from(
    { length: count },
    (_, i) => scale * (offset + (((i * i * 31 + i * (7919 + 97 * seed) + seed * 15485863 + 17) % 2003) / 1001 - 1)),
  );
  return tensor(values, { dtype, shape });
}

function decoded(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(decoded);
  if (isEncoded(value)) {
    if ('scale' in value) return generated(value);
    return tensor(value.values.map(Number), { dtype: value.dtype }).reshape([...value.shape]);
  }
  return value === 'NaN' || value === 'Infinity' || value === '-Infinity' ? Number(value) : value;
}

/** A call as a line of a message: its function, the shapes and dtypes of its tensors, and its other arguments. */
export function described({ fn, args, options }: RecordedCall): string {
  const short = (value: unknown): string =>
    isEncoded(value) ? `${value.dtype}[${value.shape.join(',')}]` : JSON.stringify(value);
  const named = Object.entries(options).map(([key, value]) => `${key}: ${short(value)}`);
  return `${fn}(${[...args.map(short), ...named].join(', ')})`;
}

function call(recorded: RecordedCall, args: readonly unknown[]): unknown {
  const { fn, options } = recorded;
  const last =
    Object.keys(options).length === 0
      ? []
      : [Object.fromEntries(Object.entries(options).map(([key, value]) => [key, decoded(value)]))];
  const parts = fn.split('.');
  if (parts[0] === 'Tensor') {
    const receiver = args[0] as unknown as Record<string, (...rest: unknown[]) => unknown>;
    return receiver[parts[1]](...args.slice(1), ...last);
  }
  return (
    parts.reduce<unknown>((owner, part) => (owner as Record<string, unknown>)[part], nodegrad) as (
      ...all: unknown[]
    ) => unknown
  )(...args, ...last);
}

/** Compares element by element; `wide` is another result that each element may agree with. */
export function expectNear(
  got: Tensor,
  expected: Encoded,
  wide: Encoded | null | undefined,
  { rtol, atol, cancelling = false }: Tolerance,
  what: string,
): void {
  expect(got.dtype, `${what}, dtype`).to.equal(expected.dtype);
  expect([...got.shape], `${what}, shape`).to.deep.equal([...expected.shape]);
  const values = Array.from(got.detach().toTypedArray() as ArrayLike<number | bigint>, Number);
  // A sum of elements that cancel is as exact as they are: beside the largest result.
  const largest = [...expected.values, ...(wide?.values ?? [])]
    .map((v) => Math.abs(Number(v)))
    .reduce((a, b) => (b > a && b < Infinity ? b : a), 0);
  const near = (value: number, wanted: number): boolean =>
    Object.is(value, wanted) ||
    value === wanted ||
    Math.abs(value - wanted) <= atol + rtol * Math.max(Math.abs(wanted), cancelling ? largest : 0);
  expected.values.forEach((wanted, i) => {
    if (near(values[i], Number(wanted)) || (wide && near(values[i], Number(wide.values[i])))) return;
    expect.fail(`${what}: element ${i} is ${values[i]}, expected ${wanted}${wide ? ` or ${wide.values[i]}` : ''}`);
  });
}

/**
 * Makes the call and compares outputs, dtypes, shapes and gradients with PyTorch's; where PyTorch raises, a typed error
 * is expected.
 */
export function expectAsRecorded(recorded: RecordedCall, tolerance: Tolerance): void {
  const what = described(recorded);
  const args = recorded.args.map(decoded);
  for (const i of recorded.leaves ?? []) (args[i] as Tensor).requiresGrad_();
  if (recorded.raises === true) {
    expect(() => call(recorded, args), what).to.throw(NodegradError);
    return;
  }
  const result = call(recorded, args);
  const outputs = (Array.isArray(result) ? result : [result]).filter((item): item is Tensor => item instanceof Tensor);
  expect(outputs.length, `${what}, outputs`).to.equal(recorded.outputs.length);
  outputs.forEach((output, i) => {
    expectNear(
      output,
      recorded.outputs[i],
      recorded.wide?.outputs?.[i],
      tolerance,
      outputs.length > 1 ? `${what}, output ${i}` : what,
    );
  });
  if (recorded.gradients === undefined || recorded.leaves === undefined) return;
  const live = outputs.filter((output) => output.requiresGrad);
  const gradients = autograd.grad(
    live,
    recorded.leaves.map((i) => args[i] as Tensor),
    {
      gradOutputs: live.map(({ dtype, shape }) => generated({ dtype, shape, scale: 1, offset: 0, seed: 9 })),
      allowUnused: true,
    },
  );
  gradients.forEach((gradient, i) => {
    const expected = recorded.gradients?.[i] ?? null;
    if (gradient === null || expected === null) {
      const zeros = gradient === null ? (expected?.values ?? []) : Array.from(gradient.toTypedArray() as Float64Array);
      expect(
        zeros.every((value) => Number(value) === 0),
        `${what}, gradient ${i} is ${gradient === null ? 'missing' : 'there'}`,
      ).to.equal(true);
    } else expectNear(gradient, expected, recorded.wide?.gradients?.[i], tolerance, `${what}, gradient ${i}`);
  });
}
