/**
 * Results lie in memory as PyTorch's do: the strides of every function over many layouts of its inputs (fixture of
 * PyTorch), and the same values whatever the layout.
 */

import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import * as nodegrad from '../../lib/index.js';
import { type DType, type MemoryFormat, manualSeed, Tensor, tensor } from '../../lib/index.js';

type Rows = Record<string, number[][]>;
interface Fixture {
  readonly rule: readonly [a: string, b: string, sum: number[], like: number[]][];
  readonly contiguity: Record<string, readonly boolean[]>;
  readonly gradients: readonly [leaf: string, arriving: string, strides: number[]][];
  readonly modules: readonly [name: 'LSTM', options: object, args: number[], strides: number[][][]][];
  readonly calls: readonly [name: string, args: readonly unknown[], rows: Rows][];
}
const fixture = JSON.parse(readFileSync(new URL('../fixtures/layout.json', import.meta.url), 'utf8')) as Fixture;

/** Functions whose values are random, or not set. */
const WITHOUT_VALUES = /rand|dropout|bernoulli|empty/;

const camelCase = (name: string): string => name.replace(/_([a-z0-9])/g, (_, c: string) => c.toUpperCase());

/**
 * "shape@strides@dtype" as a tensor; its values depend on their places in memory, as in the script that made the
 * fixture.
 */
function inputOf(key: string): Tensor {
  const [shapeText, strideText, dtype = 'float32'] = key.split('@');
  const shape = shapeText === '' ? [] : shapeText.split(',').map(Number);
  const strides = strideText === '' ? [] : strideText.split(',').map(Number);
  const reach = 1 + shape.reduce((sum, n, d) => sum + (n - 1) * strides[d], 0);
  const values = Float64Array.from({ length: reach }, (_, i) => {
    if (dtype === 'bool') return Number(i % 3 === 0);
    return dtype === 'int64' ? i % 2 : ((i * 389) % 1009) / 1261.25 + 0.1;
  });
  return tensor(values, { dtype: dtype as DType }).asStrided(shape, strides);
}

/** Whether elements follow each other row by row, by where the strides put each. */
function rowByRow(t: Tensor): boolean {
  for (let i = 0; i < t.numel(); i++) {
    let at = 0;
    let rest = i;
    for (let d = t.dim() - 1; d >= 0; d--) {
      at += (rest % t.shape[d]) * t.strides[d];
      rest = Math.floor(rest / t.shape[d]);
    }
    if (at !== i) return false;
  }
  return true;
}

function functionOf(name: string): ((...args: unknown[]) => unknown) | undefined {
  const path = name.split('.').map(camelCase);
  if (path[0] === 'Tensor')
    return (x, ...args) => ((x as Record<string, unknown>)[path[1]] as (...rest: unknown[]) => unknown).apply(x, args);
  let at: unknown = nodegrad;
  for (const part of path) at = (at as Record<string, unknown> | undefined)?.[part];
  return at as ((...args: unknown[]) => unknown) | undefined;
}

function resolve(value: unknown, tensors: readonly Tensor[]): unknown {
  if (Array.isArray(value)) return value.map((item) => resolve(item, tensors));
  if (typeof value !== 'object' || value === null) return value;
  if ('t' in value) return tensors[value.t as number];
  if ('slice' in value) return nodegrad.slice();
  if ('number' in value) return value.number;
  const { options } = value as { options: Record<string, unknown> };
  return Object.fromEntries(Object.entries(options).map(([key, item]) => [camelCase(key), resolve(item, tensors)]));
}

const tensorsOf = (result: unknown): Tensor[] =>
  result instanceof Tensor ? [result] : Array.isArray(result) ? result.flatMap(tensorsOf) : [];

describe('layout', () => {
  for (const [name, args, rows] of fixture.calls) {
    const text = args.map((arg) => JSON.stringify(arg)).join(', ');
    it(`${name}(${text})`, () => {
      const fn = functionOf(name);
      if (fn === undefined) throw new Error(`no function ${name}`);
      const wrong: string[] = [];
      for (const [key, strides] of Object.entries(rows)) {
        const inputs = key.split(' ').map(inputOf);
        const call = (tensors: Tensor[]): Tensor[] => tensorsOf(fn(...args.map((arg) => resolve(arg, tensors))));
        manualSeed(0);
        const results = call(inputs);
        const got = JSON.stringify(results.map((t) => t.strides));
        if (got !== JSON.stringify(strides))
          wrong.push(`${key}: ${got}, PyTorch has ${JSON.stringify(strides)} (shape ${results[0]?.shape})`);
        for (const t of results)
          if (t.isContiguous() !== rowByRow(t))
            wrong.push(`${key}: isContiguous() is ${t.isContiguous()}, strides are ${t.strides}`);
        if (WITHOUT_VALUES.test(name)) continue;
        const plain = call(inputs.map((t) => t.contiguous()));
        results.forEach((t, i) => {
          const [a, b] = [t.toTypedArray(), plain[i].toTypedArray()];
          a.forEach((value, k) => {
            if (
              !(
                Math.abs(Number(value) - Number(b[k])) <= 1e-5 * (1 + Math.abs(Number(b[k]))) ||
                (Number.isNaN(value) && Number.isNaN(b[k]))
              )
            )
              wrong.push(`${key}: element ${k} is ${value}, of contiguous inputs ${b[k]}`);
          });
        });
      }
      expect(wrong.join('\n')).to.equal('');
    });
  }

  it(
    'of two operands at random follows the rule of elementwise operators, and that of a tensor made like ' + 'another',
    () => {
      for (const [a, b, sum, like] of fixture.rule) {
        const [x, y] = [inputOf(a), inputOf(b)];
        expect(x.add(y).strides, `${a} + ${b}`).to.deep.equal(sum);
        expect(nodegrad.emptyLike(x).strides, `emptyLike ${a}`).to.deep.equal(like);
      }
    },
  );

  it('of a gradient is that of its leaf', () => {
    for (const [leaf, arriving, strides] of fixture.gradients) {
      const x = inputOf(leaf).requiresGrad_();
      x.mul(1).backward(inputOf(arriving));
      expect(x.grad?.strides, `${leaf} from ${arriving}`).to.deep.equal(strides);
    }
  });

  it('of sequences that modules give, and of their states', () => {
    for (const [name, options, args, expected] of fixture.modules) {
      const module = new nodegrad.nn[name](...(args as [number, number]), options) as unknown as (
        ...inputs: Tensor[]
      ) => unknown;
      const inputs = [nodegrad.rand(3, 5, 8), nodegrad.rand(3, 5, 8).transpose(0, 1)];
      const attention = (name as string) === 'MultiheadAttention';
      const got = inputs.map((t) => tensorsOf(attention ? module(t, t, t) : module(t)).map((out) => out.strides));
      expect(got, `${name} ${JSON.stringify(options)}`).to.deep.equal(expected);
    }
  });

  it('is asked for by isContiguous', () => {
    const formats: MemoryFormat[] = ['contiguous_format', 'channels_last', 'channels_last_3d'];
    for (const [key, answers] of Object.entries(fixture.contiguity))
      expect(
        formats.map((memoryFormat) => inputOf(key).isContiguous({ memoryFormat })),
        key,
      ).to.deep.equal(answers);
  });
});
