/** Views share memory; changes through them reach the graph; types and shapes seen anew; copies of any layout. */
import { expect } from 'chai';
import {
  AutogradError,
  arange,
  asStrided,
  cat,
  clone,
  full,
  meshgrid,
  noGrad,
  permute,
  reshape,
  ShapeError,
  split,
  stack,
  type Tensor,
  tensor,
  unbind,
  zeros,
} from '../../../lib/index.js';

/** Element (i, j, ...) of a tensor by its own strides, from the memory of another that shares it. */
function at(x: Tensor, ...index: number[]): number {
  return Number(x.array[index.reduce((sum, i, d) => sum + i * x.strides[d], 0)]);
}

describe('views', () => {
  const cube = (): Tensor => arange(24).reshape(2, 3, 4);

  it('share memory, whatever the view', () => {
    const views: Record<string, (x: Tensor) => Tensor> = {
      view: (x) => x.view(-1),
      reshape: (x) => reshape(x, [4, 6]),
      permute: (x) => x.permute(2, 0, 1),
      transpose: (x) => x.transpose(0, 2),
      mT: (x) => x.mT,
      expand: (x) => x.unsqueeze(0).expand(2, -1, -1, -1),
      select: (x) => x.select(1, -1),
      narrow: (x) => x.narrow(2, 1, 2),
      unfold: (x) => x.unfold(2, 2, 1),
      diagonal: (x) => x.diagonal(0, 1, 2),
      split: (x) => split(x, 2, 2)[1],
      unbind: (x) => unbind(x)[1],
      flatten: (x) => x.flatten(1),
      detach: (x) => x.detach(),
      asStrided: (x) => asStrided(x, [3], [4], 5),
      movedim: (x) => x.movedim(0, -1),
    };
    for (const [name, view] of Object.entries(views)) {
      const x = cube();
      const v = view(x);
      expect(v.storage, name).to.equal(x.storage);
      const before = v.tolist();
      x.add_(100);
      expect(v.tolist(), name).to.not.deep.equal(before);
    }
  });

  it('take shapes as numbers, arrays or by name', () => {
    const x = cube();
    for (const v of [x.view(6, 4), x.view([6, 4]), x.view(-1, 4), x.reshape({ shape: [6, 4] } as never)])
      expect(v.shape).to.deep.equal([6, 4]);
    expect(x.permute([2, 0, 1]).shape).to.deep.equal(permute(x, { dims: [2, 0, 1] } as never).shape);
    expect(x.flatten({ startDim: 1 }).shape).to.deep.equal([2, 12]);
    expect(x.squeeze().shape).to.deep.equal([2, 3, 4]);
    expect(x.split({ splitSize: 2, dim: 1 }).map((p) => p.shape[1])).to.deep.equal([2, 1]);
  });

  it('have the strides that PyTorch gives them', () => {
    const x = cube();
    expect(x.permute(2, 0, 1).stride()).to.deep.equal([1, 12, 4]);
    expect(x.unsqueeze(1).stride()).to.deep.equal([12, 12, 4, 1]);
    expect(x.unfold(2, 2, 2).stride()).to.deep.equal([12, 4, 2, 1]);
    expect(x.diagonal(1, 1, 2).stride()).to.deep.equal([12, 5]);
    expect(x.diagonal(1, 1, 2).storageOffset()).to.equal(1);
    expect(x.index([1]).storageOffset()).to.equal(12);
    expect(at(x.permute(2, 1, 0), 3, 1, 1)).to.equal(19);
  });

  it('show the same bytes as another type', () => {
    const x = tensor([1, -2], { dtype: 'float32' });
    expect(x.view('int32').tolist()).to.deep.equal([0x3f800000, 0xc0000000 | 0]);
    const bytes = x.view('uint8');
    expect(bytes.shape).to.deep.equal([8]);
    expect(bytes.view('float32').tolist()).to.deep.equal([1, -2]);
    expect(arange(4, { dtype: 'int32' }).view('int64').tolist()).to.deep.equal([4294967296, 12884901890]);
    expect(() => zeros(2, 3).t().view('float64')).to.throw(ShapeError, /view: expected a last dimension without gaps/);
    expect(() => zeros(3).view('float64')).to.throw(
      ShapeError,
      /view: expected a last size, strides and an offset that hold whole float64/,
    );
  });

  it('send gradients to what was written through them', () => {
    const x = full([2, 3], 2, { dtype: 'float64', requiresGrad: true });
    const v = full([3], 5, { dtype: 'float64', requiresGrad: true });
    const y = x.mul(1);
    const flat = y.view(-1);
    y.select(0, 1).copy_(v);
    y.t().select(0, 0).mul_(3);
    flat.sum().backward();
    expect(x.grad?.tolist()).to.deep.equal([
      [3, 1, 1],
      [0, 0, 0],
    ]);
    expect(v.grad?.tolist()).to.deep.equal([3, 1, 1]);
  });

  it('of a leaf refuse to change in place, and change without a graph', () => {
    const x = zeros(3, { requiresGrad: true });
    expect(() => x.narrow(0, 0, 2).fill_(1)).to.throw(AutogradError, /view of a leaf that requires grad/);
    expect(() => x.expand(2, 3).add_(1)).to.throw(AutogradError, /elements lie apart/);
    noGrad(() => x.narrow(0, 0, 2).fill_(1));
    expect(x.tolist()).to.deep.equal([1, 1, 0]);
    expect(x.requiresGrad && x.isLeaf).to.equal(true);
  });

  it('change their own shape in place', () => {
    const x = arange(6).reshape(1, 2, 3);
    expect(x.squeeze_(0)).to.equal(x);
    expect(x.t_().tolist()).to.deep.equal([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    expect(x.unsqueeze_(-1).transpose_(0, 2).shape).to.deep.equal([1, 2, 3]);
    const leaf = zeros(2, 3, { requiresGrad: true });
    expect(() => leaf.t_()).to.throw(AutogradError, /leaf that requires grad/);
    const y = leaf.mul(2);
    const product = y.mul(y);
    y.t_();
    expect(() => product.sum().backward()).to.throw(AutogradError, /changed by an in-place operation/);
    const z = leaf.mul(2).t_();
    z.mul(arange(6, { dtype: 'float32' }).reshape(3, 2))
      .sum()
      .backward();
    expect(leaf.grad?.tolist()).to.deep.equal([
      [0, 4, 8],
      [2, 6, 10],
    ]);
  });

  it('add up where windows overlap', () => {
    const x = arange(4, { dtype: 'float64', requiresGrad: true });
    x.unfold(0, 2, 1).sum().backward();
    expect(x.grad?.tolist()).to.deep.equal([1, 2, 2, 1]);
    const y = arange(4, { dtype: 'float64', requiresGrad: true });
    asStrided(y, [3, 3], [1, 0]).sum().backward();
    expect(y.grad?.tolist()).to.deep.equal([3, 3, 3, 0]);
  });
});

describe('data movement', () => {
  it('copies transpositions of any size and type as they are', () => {
    for (const [rows, columns] of [
      [33, 70],
      [8, 8],
      [1, 100],
      [129, 9],
    ]) {
      for (const dtype of ['float32', 'int64', 'uint8', 'bfloat16'] as const) {
        const x = arange(rows * columns)
          .remainder(251)
          .to(dtype)
          .reshape(rows, columns);
        const want = Array.from({ length: columns }, (_, j) =>
          Array.from({ length: rows }, (__, i) => (i * columns + j) % 251),
        );
        expect(clone(x.t()).tolist(), `${dtype} ${rows}x${columns}`).to.deep.equal(want);
      }
    }
    const x = arange(2 * 12 * 10 * 9).reshape(2, 12, 10, 9);
    const y = x.permute(0, 3, 1, 2);
    const copied = y.contiguous();
    for (const [b, i, j, k] of [
      [0, 0, 0, 0],
      [1, 8, 11, 9],
      [1, 3, 7, 2],
    ])
      expect(at(copied, b, i, j, k)).to.equal(((b * 12 + j) * 10 + k) * 9 + i);
  });

  it('joins tensors in their common type', () => {
    const joined = cat([arange(2), full([1], 0.5)]);
    expect(joined.dtype).to.equal('float32');
    expect(joined.tolist()).to.deep.equal([0, 1, 0.5]);
    expect(stack([tensor(true), tensor(2n)]).tolist()).to.deep.equal([1, 2]);
    expect(cat([zeros(0), zeros(2, 2)], { dim: 1 }).shape).to.deep.equal([2, 2]);
  });

  it('makes grids', () => {
    const [x, y] = meshgrid(arange(2), arange(3), { indexing: 'xy' });
    expect([x.tolist(), y.tolist()]).to.deep.equal([
      [
        [0, 1],
        [0, 1],
        [0, 1],
      ],
      [
        [0, 0],
        [1, 1],
        [2, 2],
      ],
    ]);
  });
});

describe('views made without recording', () => {
  it('need no gradient', () => {
    const y = zeros(4, { requiresGrad: true }).mul(2);
    const view = noGrad(() => y.view(2, 2));
    expect([view.requiresGrad, view.isLeaf]).to.deep.equal([false, true]);
    expect(y.view(2, 2).requiresGrad).to.equal(true);
  });
});
