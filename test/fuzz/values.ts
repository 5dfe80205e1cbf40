/** Arguments that nobody expects: values of every kind that JavaScript has. */
import { ellipsis, Generator, nn, slice, Tensor, tensor } from '../../lib/index.js';
import { inGraph, oddTensor } from './odd-tensors.js';
import type { Choices } from './random.js';

/** What the fuzzer's own callbacks throw: it may come out of any call that runs a callback. */
export class CallbackError extends Error {}

const NUMBERS = [
  0,
  -0,
  1,
  1,
  -1,
  -1,
  2,
  2,
  3,
  -2,
  -3,
  4,
  5,
  8,
  0.5,
  -0.5,
  1.5,
  2.5,
  0.1,
  NaN,
  Infinity,
  -Infinity,
  1e-300,
  5e-324,
  1e308,
  -1e308,
  1e15,
  64,
  65,
  100,
  255,
  256,
  65536,
  2 ** 31 - 1,
  2 ** 31,
  -(2 ** 31),
  2 ** 32,
  2 ** 40,
  2 ** 52 + 1,
  2 ** 53 - 1,
  2 ** 53,
  -(2 ** 53),
  2 ** 63,
  -(2 ** 63),
  2 ** 64,
];
const BIGINTS = [0n, 1n, -1n, 2n, 2n ** 31n, 2n ** 63n - 1n, 2n ** 63n, -(2n ** 63n), 2n ** 64n, 2n ** 200n];
const STRINGS = [
  '',
  'a',
  'mean',
  'sum',
  'none',
  'float32',
  'int64',
  'float99',
  'cpu',
  'cuda',
  'constructor',
  '__proto__',
  'toString',
  'length',
  'NaN',
  '1',
  'inf',
  'reflect',
  'x.y',
  '\0',
  '😀',
  'i,j->ij',
  'a'.repeat(1000),
];
const OPTION_NAMES = [
  'dim',
  'keepdim',
  'dtype',
  'size',
  'shape',
  'p',
  'eps',
  'out',
  'generator',
  'reduction',
  'alpha',
  'value',
  'weight',
  'bias',
  'stride',
  'padding',
  'kernelSize',
  'lr',
  'params',
  'requiresGrad',
  'device',
  'dims',
  'index',
  'other',
  'input',
  'min',
  'max',
  'unknown',
  '__proto__',
  'constructor',
  'toString',
];

export function oddNumber(c: Choices): number {
  return c.pick(NUMBERS);
}

export function oddString(c: Choices): string {
  return c.pick(STRINGS);
}

const callbacks = (c: Choices): unknown =>
  c.pick<() => unknown>([
    () => () => undefined,
    () => () => {
      throw new CallbackError('a callback threw');
    },
    () => () => 5,
    () => async () => 5,
    () => async () => {
      throw new CallbackError('an async callback threw');
    },
    () => (x: unknown) => x,
    () =>
      (...args: unknown[]) =>
        args,
    () => () => null,
    () => () => tensor([1, 2]),
    () => class Empty {},
    () =>
      function* numbers() {
        yield 1;
      },
  ])();

function oddArray(c: Choices, depth: number): unknown {
  switch (c.below(14)) {
    case 0:
      return [];
    case 1:
      return c.list(c.between(1, 3), () => oddNumber(c));
    case 2:
    case 3:
      return c.list(c.between(1, 4), () => c.between(-1, 3));
    case 4:
      return [[1, 2], [3]];
    case 5:
      return new Array(3);
    case 6:
      // biome-ignore lint/suspicious/noSparseArray: sparse on purpose
      return [, 1];
    case 7:
      return c.list(c.between(1, 3), () => inGraph(c, oddTensor(c)));
    case 8:
      return [oddTensor(c), null];
    case 9: {
      let nested: unknown = 1;
      for (let i = 0; i < 70; i++) nested = [nested];
      return nested;
    }
    case 10: {
      const cyclic: unknown[] = [1];
      cyclic[0] = cyclic;
      return cyclic;
    }
    case 11:
      return Object.freeze(c.list(2, () => c.between(0, 3)));
    case 12:
      return new Array(100_000).fill(1);
    default:
      return c.list(c.between(1, 3), () => (depth > 2 ? 0 : oddValue(c, depth + 1)));
  }
}

function oddBuffer(c: Choices): unknown {
  return c.pick<() => unknown>([
    () => Float32Array.of(1, 2, 3),
    () => Float64Array.of(1, NaN),
    () => Int32Array.of(0, 1, -1),
    () => new Uint8Array(0),
    () => Uint8Array.of(1, 2),
    () => Uint16Array.of(1),
    () => Uint8ClampedArray.of(1),
    () => BigInt64Array.of(1n, -1n),
    () => BigUint64Array.of(2n ** 64n - 1n),
    () => new DataView(new ArrayBuffer(8)),
    () => new ArrayBuffer(8),
    () => new Float32Array(new SharedArrayBuffer(8)),
    () => {
      const gone = Float32Array.of(1, 2);
      structuredClone(gone, { transfer: [gone.buffer] });
      return gone;
    },
    () => Buffer.from('text'),
  ])();
}

export function oddOptions(c: Choices, depth: number): unknown {
  const options: Record<string, unknown> = {};
  const count = c.between(0, 2);
  for (let i = 0; i < count; i++) {
    // Defined, not assigned: `__proto__` is a name like any other.
    const get = c.chance(0.1)
      ? () => {
          throw new CallbackError('a getter threw');
        }
      : undefined;
    const value = get === undefined ? { value: oddValue(c, depth + 1), writable: true } : { get };
    Object.defineProperty(options, c.pick(OPTION_NAMES), { ...value, enumerable: true, configurable: true });
  }
  return options;
}

function oddObject(c: Choices, depth: number): unknown {
  return c.pick<() => unknown>([
    () => ({}),
    () => oddOptions(c, depth),
    () => oddOptions(c, depth),
    () => Object.create(null),
    () => ({ length: 3 }),
    () => ({ shape: [2], dtype: 'float32' }),
    () => new Map([['a', 1]]),
    () => new Set([1]),
    () => new Date(0),
    () => /x/,
    () => new Error('a value'),
    () => Promise.resolve(1),
    () => {
      const cyclic: Record<string, unknown> = {};
      cyclic.self = cyclic;
      return cyclic;
    },
    () =>
      new Proxy(
        {},
        {
          get() {
            throw new CallbackError('a proxy threw');
          },
        },
      ),
    () => ({ valueOf: () => 2, toString: () => 'two' }),
    () => ({
      [Symbol.toPrimitive]: () => {
        throw new CallbackError('a conversion threw');
      },
    }),
    () => [1, 2, 3].values(),
    () => new Generator(),
    () => slice(null, 2),
    () => slice(-1, null, 2),
    () => ellipsis,
    () => new nn.Linear(2, 2),
    () => new nn.Parameter(tensor([1, 2])),
    () => globalThis,
    () => Tensor,
    () => new URL('file:///none'),
  ])();
}

/** Any value at all. */
export function oddValue(c: Choices, depth = 0): unknown {
  switch (c.below(16)) {
    case 0:
    case 1:
    case 2:
      return oddNumber(c);
    case 3:
    case 4:
      return inGraph(c, oddTensor(c));
    case 5:
    case 6:
      return depth > 2 ? [] : oddArray(c, depth);
    case 7:
    case 8:
      return depth > 2 ? {} : oddObject(c, depth);
    case 9:
      return oddBuffer(c);
    case 10:
      return c.pick(BIGINTS);
    case 11:
    case 12:
      return c.pick<unknown>([null, undefined, true, false, Symbol('s'), Symbol.iterator]);
    case 13:
      return callbacks(c);
    default:
      return oddString(c);
  }
}
