/**
 * Copies side by side: repeat and tile (whole tensors), repeatInterleave (elements), meshgrid and cartesianProd (views
 * of grids).
 */

import { isOptions } from '../../arguments.js';
import { defineFunction } from '../../dispatch/define-function.js';
import type { Method } from '../../dispatch/public-arguments.js';
import { attachSizesMethod, type SizesMethod, sizeArguments } from '../../dispatch/sizes-method.js';
import { ArgumentError, DTypeError, describe, fail, IndexError, ShapeError } from '../../errors.js';
import { wrapDim } from '../../shape/dims.js';
import { elementCount, type Shape } from '../../shape/layout.js';
import { INT32, INT64 } from '../../storage/dtype.js';
import { allocate } from '../../tensor/allocate.js';
import { Tensor } from '../../tensor/tensor.js';
import { tensorArgument } from '../core/promotion.js';
import { expandOp, viewOp } from '../core/view.js';
import { indexSelect } from '../indexing/index-select.js';
import { stackOp, tensorList } from '../views/cat.js';

/** x[d0, d1, ...] times in each dimension, as a view of dimensions [r0, s0, r1, s1, ...] that is then copied. */
function repeated(op: string, x: Tensor, repeats: readonly number[]): Tensor {
  const lead = repeats.length - x.shape.length;
  if (lead < 0)
    fail(ShapeError, op, `at least ${x.shape.length} repeats, one for each dimension`, `[${repeats}]`, { input: x });
  if (repeats.some((n) => n < 0)) fail(ShapeError, op, 'repeats of at least 0', `[${repeats}]`);
  const sizes = repeats.map((_, d) => (d < lead ? 1 : x.shape[d - lead]));
  const apart = expandOp(
    [
      viewOp(
        [x],
        sizes.flatMap((n) => [1, n]),
      ),
    ],
    sizes.flatMap((n, d) => [repeats[d], n]),
  );
  return viewOp(
    [apart.clone({ memoryFormat: 'contiguous_format' })],
    sizes.map((n, d) => n * repeats[d]),
  );
}
attachSizesMethod('repeat', 'repeats', (x, repeats) => repeated('repeat', x, repeats));

function tiled(x: Tensor, dims: readonly number[]): Tensor {
  const missing = Math.max(0, x.shape.length - dims.length);
  return repeated('tile', x, [...new Array<number>(missing).fill(1), ...dims]);
}
/** The tensor repeated dims[i] times in dimension i, counted from the last; missing ones count as 1. torch.tile */
export const tile = defineFunction(
  { name: 'tile', parameters: ['input', 'dims'], required: 2, method: false },
  (input: Tensor, dims: Shape): Tensor =>
    tiled(tensorArgument('tile', 'input', input), sizeArguments('tile', 'dims', [dims])),
);
attachSizesMethod('tile', 'dims', tiled);

/** Each index k repeated counts[k] times, as int64. */
function repeatedIndex(counts: readonly number[], outputSize: number | undefined): Tensor {
  if (counts.some((n) => n < 0)) fail(ArgumentError, 'repeatInterleave', 'repeats of at least 0', describe(counts));
  const total = counts.reduce((a, b) => a + b, 0);
  if (outputSize !== undefined && outputSize !== total)
    fail(ShapeError, 'repeatInterleave', `outputSize ${total}, the sum of repeats`, String(outputSize));
  const out = allocate([total], INT64);
  const array = out.array as BigInt64Array;
  let at = 0;
  counts.forEach((n, k) => {
    array.fill(BigInt(k), at, at + n);
    at += n;
  });
  return out;
}

/**
 * Each slice of dimension `dim` (of the flattened tensor without it) repeated: `repeats` times, or repeats[k] times for
 * slice k. With repeats alone: index k repeated repeats[k] times. torch.repeat_interleave
 */
export const repeatInterleave = defineFunction(
  { name: 'repeatInterleave', parameters: ['input', 'repeats', 'dim', 'outputSize'], keywords: 1 },
  (input: Tensor, repeats?: number | Tensor, dim?: number | null, outputSize?: number): Tensor => {
    const given = tensorArgument('repeatInterleave', 'input', input);
    if (repeats === undefined) {
      if (given.info !== INT64 && given.info !== INT32)
        fail(DTypeError, 'repeatInterleave', 'repeats of int64 or int32', given.dtype);
      if (given.shape.length !== 1)
        fail(ShapeError, 'repeatInterleave', 'repeats of one dimension', `[${given.shape}]`);
      return repeatedIndex(given.tolist() as number[], outputSize);
    }
    const flat = dim === undefined || dim === null;
    const x = flat ? given.reshape([-1]) : given;
    const d = wrapDim('repeatInterleave', flat ? 0 : dim, x.shape.length);
    const n = x.shape[d] ?? 1;
    if (repeats instanceof Tensor) {
      if (repeats.info !== INT64 && repeats.info !== INT32)
        fail(DTypeError, 'repeatInterleave', 'repeats of int64 or int32', repeats.dtype);
      if (repeats.shape.length > 1 || (elementCount(repeats.shape) !== 1 && repeats.shape[0] !== n))
        fail(ShapeError, 'repeatInterleave', `one repeat, or ${n} of them`, `[${repeats.shape}]`, { input: given });
      const counts = repeats.reshape([-1]).tolist() as number[];
      return indexSelect(
        x,
        d,
        repeatedIndex(counts.length === 1 ? new Array<number>(n).fill(counts[0]) : counts, outputSize),
      );
    }
    if (!Number.isInteger(repeats) || repeats < 0)
      fail(ArgumentError, 'repeatInterleave', 'repeats of at least 0', describe(repeats));
    if (outputSize !== undefined && outputSize !== n * repeats)
      fail(ShapeError, 'repeatInterleave', `outputSize ${n * repeats}`, String(outputSize));
    const one = x.shape.length === 0 ? viewOp([x], [1]) : x;
    const shape = one.shape;
    const apart = expandOp([one.unsqueeze(d + 1)], [...shape.slice(0, d + 1), repeats, ...shape.slice(d + 1)]);
    return viewOp(
      [apart.clone({ memoryFormat: 'contiguous_format' })],
      [...shape.slice(0, d), n * repeats, ...shape.slice(d + 1)],
    );
  },
);

/**
 * Vectors as a grid: tensor k varies along dimension k ('ij'), or the first two the other way round ('xy'). Views.
 * torch.meshgrid
 */
export function meshgrid(...args: (Tensor | readonly Tensor[] | { indexing?: 'ij' | 'xy' })[]): Tensor[] {
  const last = args[args.length - 1];
  const indexing = isOptions(last) ? (last.indexing ?? 'ij') : 'ij';
  const given = isOptions(last) ? args.slice(0, -1) : args;
  if (indexing !== 'ij' && indexing !== 'xy')
    fail(ArgumentError, 'meshgrid', "indexing 'ij' or 'xy'", describe(indexing));
  const list = tensorList('meshgrid', given.length === 1 && Array.isArray(given[0]) ? given[0] : given);
  const vectors = list.map((x) => {
    if (x.shape.length > 1) fail(ShapeError, 'meshgrid', 'vectors or scalars', `[${x.shape}]`);
    return viewOp([x], [elementCount(x.shape)]);
  });
  const swap = indexing === 'xy' && vectors.length >= 2;
  const ordered = swap ? [vectors[1], vectors[0], ...vectors.slice(2)] : vectors;
  const shape = ordered.map((x) => x.shape[0]);
  const grids = ordered.map((x, k) =>
    expandOp(
      [
        viewOp(
          [x],
          shape.map((n, d) => (d === k ? n : 1)),
        ),
      ],
      shape,
    ),
  );
  return swap ? [grids[1], grids[0], ...grids.slice(2)] : grids;
}

/** All combinations of one element of each vector, one a row. torch.cartesian_prod */
export function cartesianProd(...tensors: Tensor[]): Tensor {
  const list = tensorList('cartesianProd', tensors);
  for (const x of list) if (x.shape.length !== 1) fail(IndexError, 'cartesianProd', 'vectors', `[${x.shape}]`);
  if (list.length === 1) return list[0];
  const grids = meshgrid(list).map((g) => g.reshape([-1]));
  return stackOp(grids, 1);
}

declare module '../../tensor/tensor.js' {
  interface Tensor {
    repeat: SizesMethod;
    tile: SizesMethod;
    repeatInterleave: Method<typeof repeatInterleave>;
  }
}
