/** Tensors of every type, shape, layout and place in a graph. */
import { type DType, nn, noGrad, type Tensor, tensor } from '../../lib/index.js';
import { contiguousStrides, elementCount } from '../../lib/shape/layout.js';
import { DTYPES } from '../../lib/storage/dtype.js';
import { windowOn } from '../../lib/tensor/tensor.js';
import type { Choices } from './random.js';

const SIZES = [0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 6, 7, 8, 9, 16, 17, 33];
const DTYPE_NAMES = DTYPES.map((info) => info.name);

/** A random shape of few elements. */
export function oddShape(c: Choices): number[] {
  const rank = c.pick([0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 6]);
  const shape = c.list(rank, () => c.pick(SIZES));
  while (elementCount(shape) > 4096) shape[c.below(rank)] = c.between(0, 2);
  return shape;
}

function valuesOf(c: Choices, count: number): Float64Array {
  const kind = c.below(9);
  return Float64Array.from({ length: count }, (_, i) => {
    if (kind < 3) return c.unit() * 4 - 2;
    if (kind === 3) return c.between(0, 3);
    if (kind === 4) return c.between(-3, 100);
    if (kind === 5) return c.chance(0.2) ? c.pick([NaN, Infinity, -Infinity]) : c.unit();
    if (kind === 6) return c.pick([1e30, -1e30, 1e-30, 1e300, 0]);
    if (kind === 7) return c.below(2);
    return i;
  });
}

/** Whether an integer type can be made from a value. */
function held(info: (typeof DTYPES)[number], value: number): number {
  if (info.floating) return value;
  if (!Number.isFinite(value)) return 0;
  return Math.max(-100, Math.min(100, Math.trunc(value)));
}

/** A contiguous tensor of the shape and type, without a graph. */
export function plainTensor(c: Choices, shape: readonly number[], dtype: DType): Tensor {
  const info = DTYPES.find(({ name }) => name === dtype)!;
  return tensor(
    valuesOf(c, elementCount(shape)).map((value) => held(info, value)),
    { shape: [...shape], dtype },
  );
}

/**
 * The tensor in another place in memory: transposed, strided, behind an offset, expanded, or with strides that no
 * element uses.
 */
export function laidOut(c: Choices, x: Tensor): Tensor {
  const { shape } = x;
  const count = elementCount(shape);
  switch (c.below(7)) {
    case 0:
      return x.ndim < 2 ? x : x.transpose(0, -1).contiguous().transpose(0, -1);
    case 1: {
      const wide = tensor(new Float64Array(2 * count + 3), { dtype: x.dtype });
      const view = windowOn(
        wide,
        [...shape],
        contiguousStrides(shape).map((n) => 2 * n),
        c.below(3),
      );
      return view.copy_(x);
    }
    case 2: {
      const long = tensor(new Float64Array(count + 5), { dtype: x.dtype });
      return windowOn(long, [...shape], contiguousStrides(shape), 5).copy_(x);
    }
    case 3:
      // Elements that share one place.
      return count === 0 || x.ndim === 0
        ? x
        : windowOn(
            x,
            [...shape],
            shape.map((_, d) => (d === 0 ? 0 : x.strides[d])),
            0,
          );
    case 4:
      // A dimension of size 1 may have any stride.
      return windowOn(
        x,
        [...shape],
        x.strides.map((n, d) => (count === 0 || shape[d] === 1 ? 2 ** 40 : n)),
        0,
      );
    case 5: {
      const order = shape.map((_, d) => d).sort(() => c.unit() - 0.5);
      const inverse = order.map((_, d) => order.indexOf(d));
      return x.ndim === 0 ? x : x.permute(order).contiguous().permute(inverse);
    }
    default:
      return x;
  }
}

export interface TensorWish {
  readonly shape?: readonly number[];
  readonly dtype?: DType;
}

/** A tensor of any type, shape, layout and place in a graph; shape and type may be given. */
export function oddTensor(c: Choices, wish: TensorWish = {}): Tensor {
  const shape = wish.shape ?? oddShape(c);
  const dtype = wish.dtype ?? (c.chance(0.5) ? 'float32' : c.pick(DTYPE_NAMES));
  return noGrad(() => {
    const plain = plainTensor(c, shape, dtype);
    return c.chance(0.4) ? laidOut(c, plain).detach() : plain;
  });
}

/** Puts a floating tensor into a graph, now and then: as a leaf, a result, or a parameter. */
export function inGraph(c: Choices, x: Tensor): Tensor {
  if (!x.isFloatingPoint() || x.requiresGrad || c.chance(0.6)) return x;
  const kind = c.below(4);
  if (kind === 0) return new nn.Parameter(x);
  const leaf = x.detach().requiresGrad_();
  return kind === 1 ? leaf.mul(1) : leaf;
}
