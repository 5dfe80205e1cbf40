/** Indices of triangles against a walk over the whole matrix, and where the matrix is too large to be walked. */
import { expect } from 'chai';
import { trilIndices, triuIndices } from '../../../lib/index.js';

function walked(rows: number, columns: number, kept: (step: number) => boolean): number[][] {
  const pairs = Array.from({ length: rows * columns }, (_, k) => [Math.floor(k / columns), k % columns]).filter(
    ([i, j]) => kept(j - i),
  );
  return [pairs.map(([i]) => i), pairs.map(([, j]) => j)];
}

describe('indices of triangles', () => {
  it('are those of a walk over the matrix', () => {
    for (const [rows, columns] of [
      [0, 0],
      [0, 3],
      [3, 0],
      [1, 1],
      [4, 4],
      [3, 7],
      [7, 3],
    ]) {
      for (let offset = -9; offset <= 9; offset++) {
        const what = `${rows} x ${columns}, offset ${offset}`;
        expect(trilIndices(rows, columns, offset).tolist(), `tril ${what}`).to.deep.equal(
          walked(rows, columns, (step) => step <= offset),
        );
        expect(triuIndices(rows, columns, offset).tolist(), `triu ${what}`).to.deep.equal(
          walked(rows, columns, (step) => step >= offset),
        );
      }
    }
  });

  it('of a huge matrix are made from the rows that have some', () => {
    const size = 2 ** 45;
    expect(trilIndices(3, size).tolist()).to.deep.equal([
      [0, 1, 1, 2, 2, 2],
      [0, 0, 1, 0, 1, 2],
    ]);
    expect(trilIndices(size, 4, 1 - size).tolist()).to.deep.equal([[size - 1], [0]]);
    expect(triuIndices(size, 2).tolist()).to.deep.equal([
      [0, 0, 1],
      [0, 1, 1],
    ]);
    expect(triuIndices(4, size, size - 2).tolist()).to.deep.equal([
      [0, 0, 1],
      [size - 2, size - 1, size - 1],
    ]);
  });
});
