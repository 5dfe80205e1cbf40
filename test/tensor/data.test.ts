/**
 * `data` and `grad` as properties that can be assigned, `size` and `stride`: what PyTorch does, scenario by scenario.
 */
import { expect } from 'chai';
import {
  ArgumentError,
  AutogradError,
  arange,
  type DType,
  emptyCache,
  fromNumpy,
  full,
  memoryStats,
  nn,
  ones,
  optim,
  type Tensor,
  tensor,
  zeros,
} from '../../lib/index.js';
import { compareWithFixture } from './surface-fixture.js';

function leaf(...values: number[]): Tensor {
  return tensor(values, { requiresGrad: true });
}

function assigned(dtype: DType, shape: number[], requiresGrad = true): unknown {
  const p = ones(3, { requiresGrad });
  p.data = full(shape, 7, { dtype });
  return [p, p.requiresGrad, p.isLeaf, p.version];
}

function set(target: Tensor, name: 'data' | 'grad', value: unknown): () => null {
  return () => {
    (target as unknown as Record<string, unknown>)[name] = value;
    return null;
  };
}

describe('data', () => {
  compareWithFixture('data', {
    'the version of a result': () => {
      const y = leaf(1).mul(2);
      y.data.mul_(2);
      return [y.version, y.data.version];
    },
    'requires no grad': () => leaf(1).data.requiresGrad,
    'changed after use': () => {
      const q = leaf(1, 2);
      const loss = q.pow(2).sum();
      q.data.mul_(2);
      loss.backward();
      return [q, q.grad, q.version];
    },
    'assigned after use': () => {
      const q = leaf(1, 2);
      const loss = q.pow(2).sum();
      q.data = zeros(2);
      loss.backward();
      return [q, q.grad, q.version];
    },
    'detach changed after use': () => {
      const q = leaf(1, 2);
      const loss = q.pow(2).sum();
      q.detach().mul_(2);
      loss.backward();
      return q.grad;
    },
    float64: () => assigned('float64', [3]),
    float16: () => assigned('float16', [3]),
    'int64 where grad is required': () => assigned('int64', [3]),
    int64: () => assigned('int64', [4], false),
    'another shape': () => assigned('float32', [2, 2]),
    'no elements': () => assigned('float32', [0]),
    'assigning shares': () => {
      const [p, x] = [ones(2), zeros(2)];
      p.add_(1);
      p.data = x;
      x.add_(5);
      p.mul_(2);
      return [p, x, p.version, x.version];
    },
    'assigning keeps grad': () => {
      const p = leaf(1, 2);
      p.mul(3).sum().backward();
      p.data = zeros(2);
      return [p, p.grad];
    },
    'assigning, then training': () => {
      const p = leaf(1, 2);
      p.data = tensor([
        [3, 4],
        [5, 6],
      ]);
      p.pow(2).sum().backward();
      return p.grad;
    },
    'assigning a result': () => {
      const [q, r] = [leaf(1, 2), leaf(3, 4)];
      q.data = r.mul(3);
      return [q, q.isLeaf, q.requiresGrad];
    },
    'assigning to a result': () => {
      const x = leaf(1, 2);
      const y = x.mul(2);
      y.data = zeros(2);
      y.sum().backward();
      return [y, x.grad];
    },
    'views of data': () => {
      const p = leaf(1, 2, 3, 4);
      p.data.narrow(0, 1, 2).fill_(9);
      p.data.view(2, 2).t().select(0, 0).add_(1);
      return p;
    },
    'a number': set(leaf(1), 'data', 5),
    nothing: set(leaf(1), 'data', null),
  });

  it('does not overwrite what is still to be read where memory overlaps', () => {
    const p = leaf(1, 2, 3, 4);
    p.data.narrow(0, 1, 3).add_(p.detach().narrow(0, 0, 3));
    expect(p.tolist()).to.deep.equal([1, 3, 5, 7]);
    const array = Float32Array.of(1, 2, 3, 4);
    fromNumpy(array.subarray(1)).add_(fromNumpy(array.subarray(0, 3)));
    expect([...array]).to.deep.equal([1, 3, 5, 7]);
    const q = leaf(1, 2, 3, 4);
    q.data.copy_(q.detach().flip(0));
    q.data.narrow(0, 0, 3).copy_(q.detach().narrow(0, 1, 3));
    expect(q.tolist()).to.deep.equal([3, 2, 1, 1]);
  });

  it('lives as long as a tensor on its memory, and no longer', async () => {
    const collected = async (): Promise<number> => {
      // A storage is not collected in the task that made it.
      await new Promise((resolve) => setTimeout(resolve, 5));
      emptyCache();
      return memoryStats().allocatedBytes;
    };
    const before = await collected();
    // Large enough for memory that is used again once its storage is gone.
    let kept: Tensor[] = Array.from({ length: 100 }, (_, i) => full([1000], i).add(1).data);
    expect((await collected()) - before).to.be.at.least(100 * 4000);
    expect(kept.map((x) => x.select(0, 999).item())).to.deep.equal(kept.map((_, i) => i + 1));
    kept = [];
    expect((await collected()) - before).to.be.below(100 * 400);
  });

  it('replaces the memory of a parameter again and again', () => {
    const p = new nn.Parameter(zeros(1000));
    for (let i = 0; i < 200; i++) p.data = p.data.add(1);
    expect(p.sum().item()).to.equal(200000);
  });

  it('is what averages of models and clipping of weights write', () => {
    const [model, average] = [new nn.Linear(3, 2), new nn.Linear(3, 2)];
    const optimizer = new optim.Adam(model.parameters(), { lr: 0.1 });
    for (let i = 0; i < 3; i++) {
      optimizer.zeroGrad();
      model(ones(1, 3)).sum().backward();
      optimizer.step();
      for (const p of model.parameters()) p.data.clamp_(-0.2, 0.2);
    }
    const targets = [...average.parameters()];
    [...model.parameters()].forEach((p, i) => {
      expect(p.abs().max().item()).to.be.at.most(Math.fround(0.2));
      targets[i].data = p.data.mul(0.5).add(targets[i].data.mul(0.5));
    });
    expect(targets.every((p) => p.requiresGrad && p.isLeaf && p instanceof nn.Parameter)).to.equal(true);
  });

  it('updates two parameters that share memory one after the other', () => {
    const memory = zeros(20000);
    const [a, b, c] = [0, 0, 0].map(() => new nn.Parameter(ones(20000)));
    a.data = memory;
    b.data = memory;
    for (const p of [a, b, c]) p.grad = ones(20000);
    new optim.SGD([a, b, c], { lr: 1 }).step();
    expect([...new Set(memory.tolist() as number[])]).to.deep.equal([-2]);
  });
});

describe('grad', () => {
  const p = leaf(1);
  compareWithFixture('grad', {
    'a number': set(leaf(1), 'grad', 5),
    'a list': set(leaf(1), 'grad', [1]),
    'float64 for float32': set(leaf(1), 'grad', ones(1, { dtype: 'float64' })),
    'int64 for float32': set(leaf(1), 'grad', ones(1, { dtype: 'int64' })),
    'another shape': set(leaf(1, 2), 'grad', ones(1)),
    itself: set(p, 'grad', p),
    none: set(leaf(1), 'grad', null),
    'one that requires grad': set(leaf(1), 'grad', leaf(1)),
    'of a tensor without': set(ones(1), 'grad', ones(1)),
    'of integers': set(ones(1, { dtype: 'int64' }), 'grad', ones(1, { dtype: 'int64' })),
  });

  it('says what it expects', () => {
    expect(set(leaf(1), 'grad', 5)).to.throw(ArgumentError, /grad: expected a tensor or null, got 5/);
    expect(set(p, 'grad', p)).to.throw(AutogradError, /the tensor itself/);
    expect(() => {
      p.requiresGrad = 5 as unknown as boolean;
    }).to.throw(ArgumentError, /requiresGrad: expected a boolean, got 5/);
    expect(() => p.requiresGrad_(5 as unknown as boolean)).to.throw(
      ArgumentError,
      /requiresGrad_: expected a boolean, got 5/,
    );
  });
});

describe('size and stride', () => {
  const x = ones(2, 3);
  const both = (dim: unknown) => (): unknown => [x.size(dim as number), x.stride(dim as number)];
  compareWithFixture('size', {
    '0': both(0),
    '1': both(1),
    '-1': both(-1),
    '-2': both(-2),
    '2': both(2),
    '-3': both(-3),
    '1.5': both(1.5),
    "'a'": both('a'),
    True: both(true),
    None: both(null),
    'an int tensor': both(tensor(1, { dtype: 'int64' })),
    'a float tensor': both(tensor(1)),
    'of a scalar': () => [tensor(1).size(0)],
  });

  it('takes the dim by name', () => {
    expect(x.size({ dim: 1 })).to.equal(3);
    expect(x.stride({ dim: 0 })).to.equal(3);
    expect(x.stride()).to.deep.equal([3, 1]);
    expect(arange(3).size()).to.deep.equal([3]);
  });
});

// What the types say: item() is a number unless a program says otherwise, and properties take tensors alone.
const types: (x: Tensor) => unknown = (x) => {
  const numbers: number[] = [x.item(), x.size(0), x.dataPtr(), x.nbytes];
  const truth: boolean = x.item<boolean>();
  x.data = x.data.mul(0.9);
  x.grad = null;
  // @ts-expect-error a number is no tensor
  x.data = 5;
  // @ts-expect-error a number is no tensor
  x.grad = 5;
  return [numbers, truth];
};
void types;
