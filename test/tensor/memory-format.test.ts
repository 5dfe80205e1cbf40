/**
 * Memory formats as arguments: what they take, what they refuse, and that modules and optimizers follow. Strides
 * themselves: test/generic/layout.test.ts.
 */
import { expect } from 'chai';
import {
  ArgumentError,
  channelsLast,
  channelsLast3d,
  contiguousFormat,
  empty,
  emptyLike,
  type MemoryFormat,
  nn,
  noGrad,
  optim,
  preserveFormat,
  rand,
  randn,
  ShapeError,
  zerosLike,
} from '../../lib/index.js';

describe('memory format', () => {
  it("has constants under PyTorch's names", () => {
    expect([contiguousFormat, channelsLast, channelsLast3d, preserveFormat]).to.deep.equal([
      'contiguous_format',
      'channels_last',
      'channels_last_3d',
      'preserve_format',
    ]);
  });

  it('shapes the memory of empty', () => {
    expect(empty([2, 3, 4, 5], { memoryFormat: channelsLast }).stride()).to.deep.equal([60, 1, 15, 3]);
    expect(empty(2, 3, 4, 5, { memoryFormat: channelsLast }).isContiguous({ memoryFormat: channelsLast })).to.equal(
      true,
    );
    expect(empty([2, 3, 2, 4, 5], { memoryFormat: channelsLast3d }).stride()).to.deep.equal([120, 1, 60, 15, 3]);
  });

  it('keeps values, gradients and identity', () => {
    const x = rand(2, 3, 4, 5).requiresGrad_();
    const y = x.contiguous({ memoryFormat: channelsLast });
    expect(y.tolist()).to.deep.equal(x.tolist());
    expect(y.contiguous({ memoryFormat: channelsLast })).to.equal(y);
    expect(y.to({ memoryFormat: channelsLast })).to.equal(y);
    expect(y.to({ memoryFormat: channelsLast, copy: true })).to.not.equal(y);
    y.mul(2).sum().backward();
    expect(x.grad?.tolist()).to.deep.equal(zerosLike(x).add(2).tolist());
    expect(x.grad?.isContiguous()).to.equal(true);
  });

  it('refuses what is no format, and what does not fit the number of dimensions', () => {
    const x = rand(2, 3);
    const wrong = 'channels_first' as MemoryFormat;
    for (const call of [
      () => x.clone({ memoryFormat: wrong }),
      () => x.contiguous({ memoryFormat: wrong }),
      () => x.to({ memoryFormat: wrong }),
      () => x.isContiguous({ memoryFormat: wrong }),
      () => emptyLike(x, { memoryFormat: wrong }),
      () => empty([2], { memoryFormat: wrong }),
      () => new nn.Linear(1, 1).to({ memoryFormat: wrong }),
    ])
      expect(call).to.throw(
        ArgumentError,
        /expected a memoryFormat \(contiguous_format, channels_last, channels_last_3d, preserve_format\), got "channels_first"/,
      );
    for (const call of [
      () => x.clone({ memoryFormat: channelsLast }),
      () => x.contiguous({ memoryFormat: channelsLast3d }),
      () => zerosLike(x, { memoryFormat: channelsLast }),
      () => empty([2, 3], { memoryFormat: channelsLast }),
    ])
      expect(call).to.throw(ShapeError, /expected [45] dimensions for memoryFormat channels_last/);
    expect(() => x.t().contiguous({ memoryFormat: preserveFormat })).to.throw(
      ArgumentError,
      /contiguous: expected a memoryFormat that names an order/,
    );
    expect(() => empty([2], { memoryFormat: preserveFormat })).to.throw(
      ArgumentError,
      /empty: expected a memoryFormat that does not depend on a source/,
    );
  });

  it('of a module changes images alone, in place, with their gradients', () => {
    const model = new nn.Sequential(new nn.Conv2d(2, 3, 3), new nn.Flatten(), new nn.Linear(27, 2));
    const [weight, bias, matrix] = [...model.parameters()];
    model(randn(2, 2, 5, 5))
      .sum()
      .backward();
    const before = [weight, weight.grad, bias, matrix].map((t) => t?.tolist());
    expect(model.to({ memoryFormat: channelsLast })).to.equal(model);
    expect([...model.parameters()][0]).to.equal(weight);
    expect([weight, weight.grad, bias, matrix].map((t) => t?.tolist())).to.deep.equal(before);
    expect([weight, weight.grad, bias, matrix].map((t) => t?.stride())).to.deep.equal([
      [18, 1, 6, 2],
      [18, 1, 6, 2],
      [1],
      [27, 1],
    ]);
    model.to({ dtype: 'float64', memoryFormat: contiguousFormat });
    expect([weight.dtype, weight.stride()]).to.deep.equal(['float64', [18, 9, 3, 1]]);
  });

  it('that a module cannot take leaves it as it was', () => {
    const model = new nn.Sequential(new nn.Conv2d(2, 3, 3), new nn.Conv3d(3, 3, 1));
    expect(() => model.to({ dtype: 'float64', memoryFormat: channelsLast })).to.throw(
      ShapeError,
      /to: expected 4 dimensions for memoryFormat channels_last/,
    );
    for (const parameter of model.parameters())
      expect([parameter.dtype, parameter.isContiguous()]).to.deep.equal(['float32', true]);
  });

  it('may change between steps, and in what an optimizer loads', () => {
    const values = rand(2, 3, 2, 2);
    const gradients = Array.from({ length: 4 }, () => randn(2, 3, 2, 2));
    const run = (formats: readonly MemoryFormat[], reload: boolean): unknown => {
      const layer = new nn.Conv2d(3, 2, 2, { bias: false });
      noGrad(() => layer.weight.copy_(values));
      let optimizer = new optim.Adam(layer.parameters(), { lr: 0.1, amsgrad: true });
      formats.forEach((memoryFormat, i) => {
        layer.to({ memoryFormat });
        if (reload && i > 0) {
          const state = optimizer.stateDict();
          optimizer = new optim.Adam(layer.parameters(), { lr: 0.1, amsgrad: true });
          optimizer.loadStateDict(state);
        }
        layer.weight.grad = gradients[i].clone();
        optimizer.step();
      });
      return layer.weight.tolist();
    };
    const plain = run([contiguousFormat, contiguousFormat, contiguousFormat, contiguousFormat], false);
    for (const reload of [false, true])
      expect(run([contiguousFormat, channelsLast, channelsLast, contiguousFormat], reload)).to.deep.equal(plain);
  });
});
