/**
 * Fresh results brought into the layout that PyTorch gives them, for operators whose kernels write row by row; and
 * operands brought into the layout of a result. Copies without autograd, made only where memory lies otherwise.
 */
import { elementCount, placeAlike } from '../../shape/layout.js';
import { formatStrides, type MemoryFormat, suggestedFormat } from '../../shape/memory-format.js';
import type { Strided } from '../../shape/plan.js';
import { allocate, allocateStrided } from '../../tensor/allocate.js';
import { copyInto } from '../../tensor/copy.js';
import { type Tensor, windowOn } from '../../tensor/tensor.js';

/** The tensor itself where it has these strides, which leave no gaps, else a copy that has. */
export function withStrides(x: Tensor, strides: readonly number[]): Tensor {
  if (x.strides === strides || x.strides.every((step, d) => step === strides[d])) return x;
  if (placeAlike(x.shape, x.strides, strides)) return windowOn(x, x.shape, strides, x.offset);
  const out = allocateStrided(x.shape, strides, x.info);
  copyInto(out, x);
  return out;
}

/** A fresh result in a memory format. */
export function inFormat(out: Tensor, format: MemoryFormat): Tensor {
  if (format === 'contiguous_format') return out;
  return withStrides(out, formatStrides('memoryFormat', out.shape, format));
}

/** A fresh result of an operator of images in the memory format of the image (Tensor.suggest_memory_format). */
export function inFormatOf(image: Strided, out: Tensor): Tensor {
  return inFormat(out, suggestedFormat(image.shape, image.strides));
}

/** The same for [N, C, L], where PyTorch computes with [N, C, 1, L]: channels last where the channels are innermost. */
export function inFormatOfRows(rows: Strided, out: Tensor): Tensor {
  const [n, c, l] = rows.shape;
  const [a, b, step] = rows.strides;
  return rows.shape.length === 3 && suggestedFormat([n, c, 1, l], [a, b, l * step, step]) === 'channels_last'
    ? channelsInnermost(out)
    : out;
}

/** A fresh result [N, C, L] with the channels innermost. */
export function channelsInnermost(out: Tensor): Tensor {
  const [, c, l] = out.shape;
  return withStrides(out, [c * l, 1, c]);
}

/** A copy with the same strides, gaps included; contiguous where elements lie in one place. */
export function copyWithGaps(x: Tensor): Tensor {
  const repeats = x.strides.some((step, d) => step === 0 && x.shape[d] > 1);
  const extent = elementCount(x.shape) === 0 ? 0 : x.shape.reduce((last, n, d) => last + (n - 1) * x.strides[d], 1);
  const out = repeats ? allocate(x.shape, x.info) : windowOn(allocate([extent], x.info), x.shape, x.strides, 0);
  copyInto(out, x);
  return out;
}
