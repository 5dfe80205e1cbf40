/**
 * Checks that functions and layers answer as PyTorch does where one dimension, or two, have no elements: results,
 * gradients, statistics and errors (test/fixtures/zero-size.json, made by scripts/fixtures/zero_size.py), for inputs in
 * every layout.
 */
import { readFileSync } from 'node:fs';
import * as nodegrad from '../../lib/index.js';
import { autograd, type DType, NodegradError, nn, noGrad, ones, Tensor, tensor } from '../../lib/index.js';
import type { Check } from './checks.js';
import { expectClose, numbers } from './compare.js';
import { LAYOUTS } from './layouts.js';

type Stored = readonly [shape: number[], dtype: DType, values: unknown];
interface Answer {
  readonly raises?: string;
  /** PyTorch itself dies of the call. */
  readonly dies?: true;
  readonly out: readonly Stored[];
  readonly grads?: readonly (Stored | null)[];
  readonly buffers?: Readonly<Record<string, Stored>>;
}
interface Call {
  readonly fn?: string;
  readonly layer?: string;
  readonly args?: readonly unknown[];
  readonly options?: Readonly<Record<string, unknown>>;
  readonly inputs?: readonly unknown[];
  readonly call?: Readonly<Record<string, unknown>>;
  /** The answer for each word of letters that are 0. */
  readonly zero: Readonly<Record<string, Answer>>;
}
interface Given {
  readonly shape: string;
  readonly kind: 'float' | 'unit' | 'index' | 'int' | 'bool';
  readonly below?: string;
  readonly grad?: boolean;
}
type Layout = (x: Tensor) => Tensor;

const fixture = JSON.parse(readFileSync(new URL('../fixtures/zero-size.json', import.meta.url), 'utf8')) as {
  sizes: Record<string, number>;
  calls: Call[];
};

/** Errors of PyTorch's from its inside, where there is an answer: those calls need not fail. */
const NOT_MEANT =
  /^IndexError: select\(\)|could not create a primitive|returned an invalid gradient|^RuntimeError: cannot reshape tensor of 0|step must be nonzero/;

/**
 * Calls (and the letters that are 0) that only have to end in a result or a typed error, since PyTorch's answer is not
 * wanted.
 */
const OTHERWISE: readonly (readonly [call: RegExp, zero: RegExp])[] = [
  // PyTorch gives a convolution without input channels no output channels either; here it is the bias, as the formula
  // says.
  [/^(nn\.functional\.c|C)onv\dd/, /c/],
  // An index out of range is an error also where there is nothing to fill.
  [/^indexFill/, /h.*w|n.*w/],
  // Offsets begin at 0 also where there is nothing to sum.
  [/^nn\.functional\.embeddingBag.*sum/, /bw/],
  // No space is an error also where there is no batch.
  [/^nn\.functional\.convTranspose/, /b[hw]|ab/],
  // PyTorch refuses a transposed convolution without output channels in three dimensions only.
  [/^nn\.functional\.convTranspose3d/, /d/],
];

function sizeOf(letter: string, zero: string): number {
  return /\d/.test(letter) ? Number(letter) : zero.includes(letter) ? 0 : fixture.sizes[letter];
}
const sizesOf = (word: string, zero: string): number[] => [...word].map((letter) => sizeOf(letter, zero));

/** A tensor by its formula; the script has the same. */
function made({ shape, kind, below = '1', grad = false }: Given, zero: string): Tensor {
  const sizes = sizesOf(shape, zero);
  const length = sizes.reduce((a, b) => a * b, 1);
  const most = Math.max(1, sizeOf(below, zero));
  const formulas = {
    float: (i: number) => (((i * 7) % 11) - 5) / 4,
    unit: (i: number) => ((i * 7) % 11) / 10,
    index: (i: number) => (i * 5) % most,
    int: (i: number) => ((i * 7) % 11) - 5,
    bool: (i: number) => (i % 3 === 0 ? 1 : 0),
  };
  const dtypes = { float: 'float32', unit: 'float32', index: 'int64', int: 'int64', bool: 'bool' } as const;
  return tensor(
    Float64Array.from({ length }, (_, i) => formulas[kind](i)),
    { shape: sizes, dtype: dtypes[kind] },
  ).requiresGrad_(grad);
}

/** The arguments of one variant; `found` collects the tensors. */
function filled(value: unknown, zero: string, layout: Layout, found: Tensor[]): unknown {
  if (Array.isArray(value)) return value.map((v) => filled(v, zero, layout, found));
  if (typeof value !== 'object' || value === null) return value;
  if ('sizes' in value) return sizesOf(value.sizes as string, zero);
  if ('size' in value) return sizeOf(value.size as string, zero);
  const t = layout(made(value as Given, zero));
  found.push(t);
  return t;
}

function tensorsIn(value: unknown): Tensor[] {
  if (value instanceof Tensor) return [value];
  return Array.isArray(value) ? value.flatMap(tensorsIn) : [];
}

type AnyFunction = (...args: unknown[]) => unknown;
type AnyLayer = nn.Module & AnyFunction;

interface Result {
  readonly out: readonly Tensor[];
  readonly grads: readonly (Tensor | null)[];
  readonly buffers: Readonly<Record<string, Tensor>>;
}

function run(call: Call, zero: string, layout: Layout): Result {
  const found: Tensor[] = [];
  const fill = (value: unknown): unknown => filled(value, zero, layout, found);
  const options = Object.fromEntries(Object.entries(call.options ?? {}).map(([key, value]) => [key, fill(value)]));
  const last = Object.keys(options).length > 0 ? [options] : [];
  let result: unknown;
  let parameters: Tensor[] = [];
  let buffers: Readonly<Record<string, Tensor>> = {};
  if (call.layer !== undefined) {
    const Layer = (nn as unknown as Record<string, new (...args: unknown[]) => AnyLayer>)[call.layer];
    const module = new Layer(...(fill(call.args ?? []) as unknown[]), ...last);
    parameters = [...module.parameters()];
    noGrad(() => {
      for (const p of parameters)
        p.copy_(tensor(Float64Array.from({ length: p.numel() }, (_, i) => (((i * 7) % 11) - 5) / 4)).reshape(p.shape));
    });
    result = module(...(fill(call.inputs) as unknown[]), ...(call.call === undefined ? [] : [call.call]));
    buffers = Object.fromEntries(module.namedBuffers());
  } else {
    const path = (call.fn as string).split('.');
    const args = fill(call.args) as unknown[];
    if (path[0] === 'Tensor') result = (args[0] as Record<string, AnyFunction>)[path[1]](...args.slice(1), ...last);
    else
      result = (
        path.reduce<unknown>((owner, part) => (owner as Record<string, unknown>)[part], nodegrad) as AnyFunction
      )(...args, ...last);
  }
  const out = tensorsIn(result);
  const live = out.filter((t) => t.requiresGrad);
  const wanted = [...found.filter((t) => t.requiresGrad), ...parameters];
  const grads =
    live.length === 0 || wanted.length === 0
      ? []
      : autograd.grad(live, wanted, {
          gradOutputs: live.map((t) => ones(t.shape, { dtype: t.dtype })),
          allowUnused: true,
        });
  return { out, grads, buffers };
}

const shown = (shape: readonly number[], dtype: string): string => `${dtype}[${shape}]`;

function expectStored(got: Tensor | null | undefined, expected: Stored | null, what: string): void {
  if (got === null || got === undefined || expected === null) {
    if ((got ?? null) !== expected)
      throw new Error(
        `${what}: ${got ? shown(got.shape, got.dtype) : 'none'}, expected ` +
          `${expected === null ? 'none' : shown(expected[0], expected[1])}`,
      );
    return;
  }
  const [shape, dtype, values] = expected;
  if (shown(got.shape, got.dtype) !== shown(shape, dtype))
    throw new Error(`${what}: ${shown(got.shape, got.dtype)}, expected ${shown(shape, dtype)}`);
  const list = Array.isArray(values) ? values : new Array<unknown>(got.numel()).fill(values);
  // NaN and infinities come as words.
  const wanted = list.map((v) =>
    v === 'inf' ? Number.POSITIVE_INFINITY : v === '-inf' ? Number.NEGATIVE_INFINITY : Number(v),
  );
  expectClose(numbers(got), wanted, 1e-4, 1e-5, what);
}

function expectAnswer(call: Call, zero: string, answer: Answer, layout: Layout): void {
  const free = answer.dies || OTHERWISE.some(([name, letters]) => name.test(nameOf(call)) && letters.test(zero));
  let result: Result;
  try {
    result = run(call, zero, layout);
  } catch (error) {
    if (!(error instanceof NodegradError)) throw error;
    if (answer.raises !== undefined || free) return;
    throw new Error(
      `an error (${error.message}), expected ${answer.out.map(([shape, dtype]) => shown(shape, dtype)).join(' ')}`,
    );
  }
  if (free || (answer.raises !== undefined && NOT_MEANT.test(answer.raises))) return;
  if (answer.raises !== undefined)
    throw new Error(
      `${result.out.map((t) => shown(t.shape, t.dtype)).join(' ')}, expected an error (${answer.raises})`,
    );
  if (result.out.length !== answer.out.length)
    throw new Error(`${result.out.length} results, expected ${answer.out.length}`);
  answer.out.forEach((stored, i) => {
    expectStored(result.out[i], stored, `result ${i}`);
  });
  (answer.grads ?? []).forEach((stored, i) => {
    // A gradient of zeros stands for none.
    if (stored === null && result.grads[i] !== null && numbers(result.grads[i]).every((v) => v === 0)) return;
    expectStored(result.grads[i], stored, `gradient ${i}`);
  });
  for (const [key, stored] of Object.entries(answer.buffers ?? {})) expectStored(result.buffers[key], stored, key);
}

function nameOf(call: Call): string {
  const shapes = JSON.stringify([...(call.args ?? []), ...(call.inputs ?? [])], (_, v: unknown) =>
    typeof v === 'object' && v !== null && 'shape' in v ? v.shape : v,
  );
  const options = call.options === undefined ? '' : ` ${JSON.stringify(call.options)}`;
  return `${call.fn ?? call.layer}${shapes.replaceAll('"', '')}${options}`;
}

/** The names of the layers that are called. */
export const layersCalled = new Set(fixture.calls.flatMap(({ layer }) => (layer === undefined ? [] : [layer])));

export const checks: readonly Check[] = fixture.calls.map((call) => ({
  name: nameOf(call),
  run: (at) => {
    const complaints: string[] = [];
    for (const [zero, answer] of Object.entries(call.zero)) {
      for (const [layout, place] of Object.entries(LAYOUTS)) {
        const step = `${zero} = 0, ${layout}`;
        at(step);
        try {
          expectAnswer(call, zero, answer, place);
        } catch (error) {
          complaints.push(`${step}: ${(error as Error).message}`);
        }
      }
    }
    if (complaints.length > 0) throw new Error(`${complaints.length} wrong: ${complaints.slice(0, 6).join('; ')}`);
  },
}));
