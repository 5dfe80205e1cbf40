/**
 * `nn.init`: first values of parameters, drawn from PyTorch's streams. All of it is outside of autograd: leaves that
 * require grad may be given.
 */
import { noGrad } from '../autograd/grad-mode.js';
import { defineFunction } from '../dispatch/define-function.js';
import { ArgumentError, describe, fail, ShapeError } from '../errors.js';
import { isScalar, tensorArgument } from '../ops/core/promotion.js';
import { randperm } from '../ops/random/creation.js';
import type { Generator } from '../random/generator.js';
import { keptByRejection, normalTail } from '../random/truncated-normal.js';
import { contiguousStrides } from '../shape/layout.js';
import { FLOAT64 } from '../storage/dtype.js';
import { allocate } from '../tensor/allocate.js';
import { castTo, copyInto, fillWith } from '../tensor/copy.js';
import { type Tensor, tensorOver, windowOn } from '../tensor/tensor.js';
import { calculateFanInAndFanOut } from './fans.js';
import { orthonormalColumns } from './orthonormal.js';

type Rng = Generator | null;

/** Writes outside of autograd, and counts the change. */
function written(tensor: Tensor, write: () => void): Tensor {
  write();
  tensor.storage.version++;
  return tensor;
}
function drawUniform(tensor: Tensor, low: number, high: number, generator: Rng | undefined): Tensor {
  return noGrad(() => tensor.uniform_(low, high, { generator }));
}
function drawNormal(tensor: Tensor, mean: number, std: number, generator: Rng | undefined): Tensor {
  return noGrad(() => tensor.normal_(mean, std, { generator }));
}

const LINEAR = [
  'linear',
  'conv1d',
  'conv2d',
  'conv3d',
  'conv_transpose1d',
  'conv_transpose2d',
  'conv_transpose3d',
  'sigmoid',
];

/** PyTorch's spelling of a name that may have come in camelCase. */
function snake(name: unknown): string {
  return String(name).replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/**
 * The recommended gain of a nonlinearity: 1 for linear ones and sigmoid, 5/3 for tanh, sqrt 2 for relu, sqrt(2 / (1 +
 * slope^2)) for leaky_relu (`param` is the slope, 0.01 by default), 3/4 for selu. torch.nn.init.calculate_gain
 */
export const calculateGain = defineFunction(
  { name: 'nn.init.calculateGain', parameters: ['nonlinearity', 'param'] },
  (nonlinearity: string, param?: number | null): number => {
    const name = snake(nonlinearity);
    if (LINEAR.includes(name)) return 1;
    if (name === 'tanh') return 5 / 3;
    if (name === 'relu') return Math.sqrt(2);
    if (name === 'selu') return 3 / 4;
    if (name !== 'leaky_relu')
      fail(
        ArgumentError,
        'calculateGain',
        `one of ${LINEAR.join(', ')}, tanh, relu, leaky_relu, selu`,
        describe(nonlinearity),
      );
    if (param !== undefined && param !== null && typeof param !== 'number')
      fail(ArgumentError, 'calculateGain', 'a number for the negative slope', describe(param));
    return Math.sqrt(2 / (1 + (param ?? 0.01) ** 2));
  },
);

function fanOf(op: string, tensor: Tensor, mode: string): number {
  const fans = calculateFanInAndFanOut(op, tensor);
  const name = snake(mode).toLowerCase();
  if (name === 'fan_in') return fans.fanIn;
  if (name === 'fan_out') return fans.fanOut;
  return fail(ArgumentError, op, "mode 'fan_in' or 'fan_out'", describe(mode));
}

/** Uniform values in [a, b). torch.nn.init.uniform_ */
export const uniform_ = defineFunction(
  { name: 'nn.init.uniform_', parameters: ['tensor', 'a', 'b', 'generator'] },
  (tensor: Tensor, a: number = 0, b: number = 1, generator?: Rng): Tensor =>
    drawUniform(tensorArgument('uniform_', 'tensor', tensor), a, b, generator),
);
/** Normal values. torch.nn.init.normal_ */
export const normal_ = defineFunction(
  { name: 'nn.init.normal_', parameters: ['tensor', 'mean', 'std', 'generator'] },
  (tensor: Tensor, mean: number = 0, std: number = 1, generator?: Rng): Tensor =>
    drawNormal(tensorArgument('normal_', 'tensor', tensor), mean, std, generator),
);
/** One value everywhere. torch.nn.init.constant_ */
export const constant_ = defineFunction(
  { name: 'nn.init.constant_', parameters: ['tensor', 'val'], required: 2 },
  (tensor: Tensor, val: number): Tensor => {
    if (!isScalar(val)) fail(ArgumentError, 'constant_', 'a number for val', describe(val));
    return written(tensorArgument('constant_', 'tensor', tensor), () => fillWith(tensor, val));
  },
);
/** torch.nn.init.ones_ */
export const ones_ = defineFunction(
  { name: 'nn.init.ones_', parameters: ['tensor'] },
  (tensor: Tensor): Tensor => constant_(tensor, 1),
);
/** torch.nn.init.zeros_ */
export const zeros_ = defineFunction(
  { name: 'nn.init.zeros_', parameters: ['tensor'] },
  (tensor: Tensor): Tensor => constant_(tensor, 0),
);

/** Ones on the main diagonal of a matrix, zeros elsewhere. torch.nn.init.eye_ */
export const eye_ = defineFunction({ name: 'nn.init.eye_', parameters: ['tensor'] }, (tensor: Tensor): Tensor => {
  const { shape, strides, offset } = tensorArgument('eye_', 'tensor', tensor);
  if (shape.length !== 2) fail(ShapeError, 'eye_', 'a tensor of 2 dimensions', describe(tensor));
  return written(tensor, () => {
    fillWith(tensor, 0);
    fillWith(windowOn(tensor, [Math.min(...shape)], [strides[0] + strides[1]], offset), 1);
  });
});

/**
 * The weight of a convolution (3 to 5 dimensions) that passes as many channels as it can unchanged, in each group.
 * torch.nn.init.dirac_
 */
export const dirac_ = defineFunction(
  { name: 'nn.init.dirac_', parameters: ['tensor', 'groups'] },
  (tensor: Tensor, groups: number = 1): Tensor => {
    const { shape, strides, offset } = tensorArgument('dirac_', 'tensor', tensor);
    if (shape.length < 3 || shape.length > 5)
      fail(ShapeError, 'dirac_', 'a tensor of 3, 4 or 5 dimensions', describe(tensor));
    if (!Number.isInteger(groups) || groups < 1 || shape[0] % groups !== 0)
      fail(ArgumentError, 'dirac_', 'groups that divide dimension 0', String(groups), { tensor });
    const outputs = shape[0] / groups;
    const middle = shape.slice(2).reduce((at, n, d) => at + Math.floor(n / 2) * strides[d + 2], offset);
    return written(tensor, () => {
      fillWith(tensor, 0);
      for (let g = 0; g < groups; g++)
        fillWith(
          windowOn(tensor, [Math.min(outputs, shape[1])], [strides[0] + strides[1]], middle + g * outputs * strides[0]),
          1,
        );
    });
  },
);

/**
 * Uniform values in (-a, a) with a = gain sqrt(6 / (fan_in + fan_out)): Glorot and Bengio 2010.
 * torch.nn.init.xavier_uniform_
 */
export const xavierUniform_ = defineFunction(
  { name: 'nn.init.xavierUniform_', parameters: ['tensor', 'gain', 'generator'] },
  (tensor: Tensor, gain: number = 1, generator?: Rng): Tensor => {
    const { fanIn, fanOut } = calculateFanInAndFanOut(
      'xavierUniform_',
      tensorArgument('xavierUniform_', 'tensor', tensor),
    );
    const a = Math.sqrt(3) * (gain * Math.sqrt(2 / (fanIn + fanOut)));
    return drawUniform(tensor, -a, a, generator);
  },
);
/** Normal values with std = gain sqrt(2 / (fan_in + fan_out)). torch.nn.init.xavier_normal_ */
export const xavierNormal_ = defineFunction(
  { name: 'nn.init.xavierNormal_', parameters: ['tensor', 'gain', 'generator'] },
  (tensor: Tensor, gain: number = 1, generator?: Rng): Tensor => {
    const { fanIn, fanOut } = calculateFanInAndFanOut(
      'xavierNormal_',
      tensorArgument('xavierNormal_', 'tensor', tensor),
    );
    return drawNormal(tensor, 0, gain * Math.sqrt(2 / (fanIn + fanOut)), generator);
  },
);

/** std = gain / sqrt(fan), or null for a tensor without elements, which is left alone. */
function kaimingStd(op: string, tensor: Tensor, a: number, mode: string, nonlinearity: string): number | null {
  if (tensorArgument(op, 'tensor', tensor).numel() === 0) return null;
  return calculateGain(nonlinearity, a) / Math.sqrt(fanOf(op, tensor, mode));
}
/**
 * Uniform values in (-b, b) with b = gain sqrt(3 / fan): He et al. 2015. `mode` is 'fan_in' or 'fan_out'.
 * torch.nn.init.kaiming_uniform_
 */
export const kaimingUniform_ = defineFunction(
  { name: 'nn.init.kaimingUniform_', parameters: ['tensor', 'a', 'mode', 'nonlinearity', 'generator'] },
  (
    tensor: Tensor,
    a: number = 0,
    mode: string = 'fan_in',
    nonlinearity: string = 'leaky_relu',
    generator?: Rng,
  ): Tensor => {
    const std = kaimingStd('kaimingUniform_', tensor, a, mode, nonlinearity);
    return std === null ? tensor : drawUniform(tensor, -Math.sqrt(3) * std, Math.sqrt(3) * std, generator);
  },
);
/** Normal values with std = gain / sqrt(fan). torch.nn.init.kaiming_normal_ */
export const kaimingNormal_ = defineFunction(
  { name: 'nn.init.kaimingNormal_', parameters: ['tensor', 'a', 'mode', 'nonlinearity', 'generator'] },
  (
    tensor: Tensor,
    a: number = 0,
    mode: string = 'fan_in',
    nonlinearity: string = 'leaky_relu',
    generator?: Rng,
  ): Tensor => {
    const std = kaimingStd('kaimingNormal_', tensor, a, mode, nonlinearity);
    return std === null ? tensor : drawNormal(tensor, 0, std, generator);
  },
);

/** erf by its series without cancellation: 2/sqrt(pi) e^(-x^2) sum of 2^n x^(2n+1) / (2n+1)!!. */
function erf(x: number): number {
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/**
 * Below this part of the uniform candidates that rejection keeps, values are drawn from the tail instead: PyTorch
 * hardly ends there.
 */
const LEAST_KEPT = 1 / 256;

/**
 * Normal values in [a, b], by rejection: of normal values where most lie inside, else of uniform ones; where hardly any
 * of those would be kept (the bounds lie far apart in a tail), of exponential ones. torch.nn.init.trunc_normal_
 */
export const truncNormal_ = defineFunction(
  { name: 'nn.init.truncNormal_', parameters: ['tensor', 'mean', 'std', 'a', 'b', 'generator'] },
  (tensor: Tensor, mean: number = 0, std: number = 1, a: number = -2, b: number = 2, generator?: Rng): Tensor => {
    const x = tensorArgument('truncNormal_', 'tensor', tensor);
    if (!(a <= b) || !(std > 0))
      fail(ArgumentError, 'truncNormal_', 'a <= b and a std above 0', `a=${a}, b=${b}, std=${std}`);
    const { info } = x;
    const round = info === FLOAT64 ? (v: number): number => v : Math.fround;
    const stored = (v: number): number =>
      Number(castTo(castTo(tensorOver(Float64Array.of(v), FLOAT64, [], []), info), FLOAT64).array[0]);
    const values = (t: Tensor): Float64Array => castTo(t, FLOAT64).array as Float64Array;
    const count = x.numel();
    const result = tensorOver(new Float64Array(count), FLOAT64, x.shape, contiguousStrides(x.shape));
    const kept = result.array as Float64Array;
    const fresh = allocate(x.shape, info);
    const cdf = (v: number): number => (1 + erf(v / Math.SQRT2)) / 2;
    if (cdf((b - mean) / std) - cdf((a - mean) / std) > 0.3) {
      const low = stored(a);
      const high = stored(b);
      kept.set(values(drawNormal(x, mean, std, generator)).subarray(0, count));
      while (kept.some((v) => v < low || v > high)) {
        const candidates = values(drawNormal(fresh, mean, std, generator));
        for (let i = 0; i < count; i++) if (kept[i] < low || kept[i] > high) kept[i] = candidates[i];
      }
    } else if (keptByRejection((a - mean) / std, (b - mean) / std) < LEAST_KEPT) {
      if (!Number.isFinite(a) || !Number.isFinite(b))
        fail(ArgumentError, 'truncNormal_', 'finite bounds', `a=${a}, b=${b}`);
      const low = stored(a);
      const high = stored(b);
      const tail = normalTail(count, (a - mean) / std, (b - mean) / std, (target) =>
        drawUniform(target, 0, 1, generator),
      );
      for (let i = 0; i < count; i++) kept[i] = Math.min(high, Math.max(low, mean + std * tail[i]));
    } else {
      // Accepted where ln(u) is at most the logarithm of the density against its peak in [a, b], in the tensor's own
      // precision.
      const peak = -0.5 * ((Math.max(a, Math.min(mean, b)) - mean) / std) ** 2;
      const pending = new Uint8Array(count).fill(1);
      const buffer = allocate(x.shape, info);
      do {
        const candidates = values(drawUniform(fresh, a, b, generator));
        const accept = values(drawUniform(buffer, 0, 1, generator));
        for (let i = 0; i < count; i++) {
          if (pending[i] === 0) continue;
          kept[i] = candidates[i];
          const z = round(round(candidates[i] - mean) / std);
          const density = round(round(round(z * z) * -0.5) - peak);
          pending[i] = round(Math.log(accept[i])) > density ? 1 : 0;
        }
      } while (pending.includes(1));
    }
    return written(x, () => copyInto(x, result));
  },
);

/**
 * Orthonormal rows or columns (whichever are fewer) times `gain`, of the tensor as a matrix [shape[0], rest].
 * torch.nn.init.orthogonal_
 */
export const orthogonal_ = defineFunction(
  { name: 'nn.init.orthogonal_', parameters: ['tensor', 'gain', 'generator'] },
  (tensor: Tensor, gain: number = 1, generator?: Rng): Tensor => {
    const x = tensorArgument('orthogonal_', 'tensor', tensor);
    if (x.shape.length < 2) fail(ShapeError, 'orthogonal_', 'a tensor of at least 2 dimensions', describe(x));
    if (x.numel() === 0) return x;
    const rows = x.shape[0];
    const columns = x.numel() / rows;
    const drawn = castTo(drawNormal(allocate([rows, columns], x.info), 0, 1, generator), FLOAT64).array as Float64Array;
    const q = orthonormalColumns(drawn, rows, columns);
    for (let i = 0; i < q.length; i++) q[i] *= gain;
    return written(x, () => copyInto(x, tensorOver(q, FLOAT64, x.shape, contiguousStrides(x.shape))));
  },
);

/**
 * A matrix of normal values of which the fraction `sparsity` of each column is zero: Martens 2010.
 * torch.nn.init.sparse_
 */
export const sparse_ = defineFunction(
  { name: 'nn.init.sparse_', parameters: ['tensor', 'sparsity', 'std', 'generator'], required: 2 },
  (tensor: Tensor, sparsity: number, std: number = 0.01, generator?: Rng): Tensor => {
    const x = tensorArgument('sparse_', 'tensor', tensor);
    if (x.shape.length !== 2) fail(ShapeError, 'sparse_', 'a tensor of 2 dimensions', describe(x));
    if (!(sparsity >= 0 && sparsity <= 1)) fail(ArgumentError, 'sparse_', 'a sparsity in [0, 1]', String(sparsity));
    const [rows, columns] = x.shape;
    drawNormal(x, 0, std, generator);
    const zeros = Math.ceil(sparsity * rows);
    return written(x, () => {
      for (let column = 0; column < columns; column++) {
        // As in PyTorch, the rows come from the default generator.
        for (const row of randperm(rows).toTypedArray().subarray(0, zeros))
          fillWith(windowOn(x, [], [], x.offset + Number(row) * x.strides[0] + column * x.strides[1]), 0);
      }
    });
  },
);
