/** Shapes and strides (counted in elements): pure arithmetic, with no knowledge of tensors or native code. */

export type Shape = readonly number[];

/** The number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: Shape): number {
  let n = 1;
  for (let i = 0; i < shape.length; i++) n *= shape[i];
  return n;
}

/** Row-major strides of a shape; dimensions of size 0 count as 1, as in PyTorch. */
export function contiguousStrides(shape: Shape): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    if (shape[i] > 1) step *= shape[i];
  }
  return strides;
}

/** Whether the elements lie in row-major order without gaps; no elements always do. */
export function isContiguous(shape: Shape, strides: readonly number[]): boolean {
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    const size = shape[i];
    if (size === 1) continue;
    if (size === 0) return true;
    if (strides[i] !== step) return elementCount(shape) === 0;
    step *= size;
  }
  return true;
}

/** Whether elements lie without gaps and without overlaps, in any order of the dimensions. */
export function isDense(shape: Shape, strides: readonly number[]): boolean {
  let left = 0;
  for (let d = 0; d < shape.length; d++) {
    if (shape[d] === 0) return true;
    if (shape[d] !== 1) left++;
  }
  // From the innermost dimension on, each begins where the one before ends.
  for (let expected = 1; left > 0; left--) {
    let next = -1;
    for (let d = 0; d < shape.length; d++) if (shape[d] !== 1 && strides[d] === expected) next = d;
    if (next < 0) return false;
    expected *= shape[next];
  }
  return true;
}

/**
 * Whether strides are the ones that a new tensor of this shape gets; dimensions of size 1 of a row-major tensor may
 * have others.
 */
export function isRowMajor(shape: Shape, strides: readonly number[]): boolean {
  let step = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    if (strides[d] !== step) return false;
    if (shape[d] > 1) step *= shape[d];
  }
  return true;
}

/** Whether two lists of strides place the elements of a shape alike; those of dimensions of size 1 place none. */
export function placeAlike(shape: Shape, a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  for (let d = 0; d < shape.length; d++) if (shape[d] !== 1 && a[d] !== b[d]) return false;
  return true;
}

export function sameShape(a: Shape, b: Shape): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/**
 * Strides that show the same elements under another shape of the same size, or null where that needs a copy.
 * Follows PyTorch's computeStride: runs of memory-adjacent dimensions are cut anew.
 */
export function reshapeStrides(shape: Shape, strides: readonly number[], newShape: Shape): number[] | null {
  if (elementCount(shape) === 0) return sameShape(shape, newShape) ? [...strides] : contiguousStrides(newShape);
  if (shape.length === 0) return new Array<number>(newShape.length).fill(1);
  const result = new Array<number>(newShape.length);
  let target = newShape.length - 1;
  let base = strides[strides.length - 1];
  let inRun = 1;
  let inTarget = 1;
  for (let d = shape.length - 1; d >= 0; d--) {
    inRun *= shape[d];
    if (d !== 0 && (shape[d - 1] === 1 || strides[d - 1] === inRun * base)) continue;
    while (target >= 0 && (inTarget < inRun || newShape[target] === 1)) {
      result[target] = inTarget * base;
      inTarget *= newShape[target];
      target--;
    }
    if (inTarget !== inRun) return null;
    if (d > 0) {
      base = strides[d - 1];
      inRun = 1;
      inTarget = 1;
    }
  }
  return target === -1 ? result : null;
}
