/** The orthonormal factor of a matrix in double precision, for nn.init. Plain arrays; it knows nothing of tensors. */

/**
 * Q of A = Q R with a positive diagonal of R (of A^T where A is wide, transposed back), for A [rows, columns] in
 * row-major order: Gram and Schmidt, vectors cleared twice where that is needed to be as orthogonal as rounding allows.
 */
export function orthonormalColumns(matrix: Float64Array, rows: number, columns: number): Float64Array {
  const tall = rows >= columns;
  const length = tall ? rows : columns;
  const count = tall ? columns : rows;
  const vectors = Array.from({ length: count }, (_, j) =>
    tall
      ? Float64Array.from({ length }, (_, i) => matrix[i * columns + j])
      : matrix.slice(j * columns, (j + 1) * columns),
  );
  for (let j = 0; j < count; j++) {
    const v = vectors[j];
    // What cancellation leaves of a vector that loses much of its length needs a second pass, and never a third.
    let length2 = squares(v);
    for (let pass = 0; pass < 2; pass++) {
      for (let i = 0; i < j; i++) {
        const q = vectors[i];
        let dot = 0;
        for (let k = 0; k < length; k++) dot += q[k] * v[k];
        for (let k = 0; k < length; k++) v[k] -= dot * q[k];
      }
      const before = length2;
      length2 = squares(v);
      if (length2 > before / 2) break;
    }
    const norm = Math.sqrt(length2);
    for (let k = 0; k < length; k++) v[k] /= norm;
  }
  const out = new Float64Array(rows * columns);
  vectors.forEach((v, j) => {
    if (tall) for (let i = 0; i < rows; i++) out[i * columns + j] = v[i];
    else out.set(v, j * columns);
  });
  return out;
}

function squares(v: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < v.length; k++) sum += v[k] * v[k];
  return sum;
}
