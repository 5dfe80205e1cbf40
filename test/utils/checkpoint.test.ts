/**
 * Activation checkpointing against the plain run: outputs, gradients to the bit, random numbers, and what is held
 * meanwhile.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import {
  ArgumentError,
  AutogradError,
  amp,
  autograd,
  manualSeed,
  nn,
  noGrad,
  rand,
  randn,
  type Tensor,
  tensor,
  utils,
} from '../../lib/index.js';

const { checkpoint, checkpointSequential } = utils.checkpoint;
type Fn = (x: Tensor) => Tensor;
type Wrap = (fn: Fn, x: Tensor) => Tensor;
const plain: Wrap = (fn, x) => fn(x);
const saving: Wrap = (fn, x) => checkpoint(fn, x, { useReentrant: false });

class Cube extends autograd.Function {
  static forward(context: { saveForBackward(...tensors: Tensor[]): void }, x: Tensor): Tensor {
    context.saveForBackward(x);
    return x.pow(3);
  }
  static backward(context: { savedTensors: Tensor[] }, g: Tensor): Tensor {
    return g.mul(context.savedTensors[0].pow(2)).mul(3);
  }
}
const cube = (x: Tensor): Tensor => (Cube.apply as unknown as Fn).call(Cube, x);

/** What makes a model: layers, and how they are called. */
const models: Record<string, () => { module: nn.Module; run: (x: Tensor, wrap: Wrap) => Tensor }> = {
  perceptron: () => {
    const module = new nn.Sequential(
      new nn.Linear(4, 8),
      new nn.Tanh(),
      new nn.Linear(8, 8),
      new nn.GELU(),
      new nn.Linear(8, 4),
    );
    return { module, run: (x, wrap) => wrap((y) => module(y), x) };
  },
  'dropout and layer norm': () => {
    const module = new nn.Sequential(
      new nn.Linear(4, 8),
      new nn.Dropout(0.5),
      new nn.LayerNorm(8),
      new nn.Linear(8, 4),
      new nn.Dropout(0.3),
    );
    return { module, run: (x, wrap) => wrap((y) => module(y), x).add(rand([4])) };
  },
  'one after the other': () => {
    const module = new nn.ModuleList([new nn.Linear(4, 4), new nn.Linear(4, 4), new nn.Linear(4, 4)]);
    return {
      module,
      run: (x, wrap) =>
        [...module.children()].reduce((y, layer) => wrap((z) => (layer as nn.Linear)(z).relu().mul(y), y), x),
    };
  },
  nested: () => {
    const module = new nn.ModuleList([new nn.Linear(4, 4), new nn.Linear(4, 4), new nn.Linear(4, 4)]);
    const [a, b, c] = module.children() as nn.Linear[];
    const drop = (x: Tensor): Tensor => nn.functional.dropout(x, 0.5, true);
    return {
      module,
      run: (x, wrap) =>
        wrap((y) => wrap((z) => wrap((w) => drop(c(w)).sigmoid(), b(z).tanh()).mul(z), drop(a(y)).sin()).exp(), x),
    };
  },
  'attention and convolution': () => {
    const module = new nn.ModuleList([
      new nn.MultiheadAttention(4, 2, { batchFirst: true }),
      new nn.Conv1d(4, 4, 3, { padding: 1 }),
    ]);
    const [attention, conv] = module.children() as [nn.MultiheadAttention, nn.Conv1d];
    return {
      module,
      run: (x, wrap) =>
        wrap(
          (y) =>
            conv(attention(y.unsqueeze(0), y.unsqueeze(0), y.unsqueeze(0))[0].transpose(1, 2))
              .squeeze(0)
              .t(),
          x,
        ),
    };
  },
  'an operator of a user, and a part without grad': () => {
    const module = new nn.Linear(4, 4);
    return { module, run: (x, wrap) => wrap((y) => cube(module(y)).add(noGrad(() => y.mul(module.weight.sum()))), x) };
  },
  autocast: () => {
    const module = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 4));
    return {
      module,
      run: (x, wrap) => amp.autocast('cpu', 'bfloat16', () => wrap((y) => module(y).float(), module(x).float())),
    };
  },
  recurrent: () => {
    const module = new nn.LSTM(4, 4);
    return { module, run: (x, wrap) => wrap((y) => module(y)[0], x) };
  },
};

interface Outcome {
  output: unknown;
  gradients: unknown[];
  next: unknown;
}
function outcome(
  make: (typeof models)[string],
  wrap: Wrap,
  how: (loss: Tensor, leaves: Tensor[]) => (Tensor | null)[],
): Outcome {
  manualSeed(3);
  const { module, run } = make();
  const x = randn([5, 4]).requiresGrad_();
  const output = run(x, wrap);
  const gradients = how(output.pow(2).sum(), [x, ...module.parameters()]);
  return { output: output.tolist(), gradients: gradients.map((g) => g?.tolist() ?? null), next: rand([2]).tolist() };
}
const ways: Record<string, (loss: Tensor, leaves: Tensor[]) => (Tensor | null)[]> = {
  backward: (loss, leaves) => {
    loss.backward();
    return leaves.map((leaf) => leaf.grad);
  },
  'backward twice': (loss, leaves) => {
    loss.backward({ retainGraph: true });
    loss.backward();
    return leaves.map((leaf) => leaf.grad);
  },
  'autograd.grad': (loss, leaves) => autograd.grad(loss, leaves),
  'grad of one leaf': (loss, leaves) => autograd.grad(loss, leaves.slice(0, 1)),
};

describe('utils.checkpoint', () => {
  for (const [name, make] of Object.entries(models))
    for (const [way, how] of Object.entries(ways))
      it(`${name}, ${way}: outputs, gradients and random numbers are those of the plain run`, () => {
        expect(outcome(make, saving, how)).to.deep.equal(outcome(make, plain, how));
      });

  it('second derivatives', () => {
    const values = [plain, saving].map((wrap) => {
      const x = tensor([0.5, -1, 2], { dtype: 'float64', requiresGrad: true });
      const y = wrap((z) => wrap((w) => w.sin().mul(w), z).exp(), x);
      const [first] = autograd.grad(y.sum(), x, { createGraph: true });
      return autograd.grad(first.pow(2).sum(), x)[0].tolist() as number[];
    });
    // Gradients of the second run's nodes are added in another order.
    values[1].forEach((value, i) => {
      expect(Math.abs(value - values[0][i])).to.be.at.most(1e-13 * Math.abs(value));
    });
    const x = tensor([0.5, -1], { dtype: 'float64', requiresGrad: true });
    expect(autograd.gradcheck((y) => saving((z) => z.exp().mul(z), y), x)).to.equal(true);
    expect(autograd.gradgradcheck((y) => saving((z) => z.exp().mul(z), y), x)).to.equal(true);
  });

  it('runs the function once more, when a gradient is asked for, and no further than it needs', () => {
    let begun = 0;
    let ended = 0;
    const fn = (x: Tensor): Tensor => {
      begun++;
      const y = x.exp().sum();
      ended++;
      return y;
    };
    const x = randn([3]).requiresGrad_();
    const y = checkpoint(fn, x);
    expect([begun, ended]).to.deep.equal([1, 1]);
    y.backward();
    expect([begun, ended]).to.deep.equal([2, 1]);
    checkpoint(fn, x, { earlyStop: false }).backward();
    expect([begun, ended]).to.deep.equal([4, 3]);
    noGrad(() => checkpoint(fn, x));
    checkpoint(fn, x.detach());
    expect([begun, ended]).to.deep.equal([6, 5]);
  });

  it('does not hold what it will compute again', async () => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as () => void;
    const held = async (wrap: Wrap): Promise<boolean> => {
      let inside: WeakRef<Tensor> | null = null;
      const x = randn([100]).requiresGrad_();
      const loss = wrap((y) => {
        const middle = y.exp();
        inside ??= new WeakRef(middle);
        return middle.mul(middle);
      }, x).sum();
      for (let i = 0; i < 3; i++) {
        await new Promise((resolve) => setImmediate(resolve));
        gc();
      }
      const there = (inside as WeakRef<Tensor> | null)?.deref() !== undefined;
      loss.backward();
      return there;
    };
    expect(await held(plain)).to.equal(true);
    expect(await held(saving)).to.equal(false);
    expect(await held((fn, x) => saving((y) => saving(fn, y.add(1)), x))).to.equal(false);
  });

  it('hands arguments and results of every kind through', () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const [a, b] = checkpoint(
      (list: Tensor[], options: { scale: number }, n: number): [Tensor, string] => [
        list[0].mul(options.scale).exp().mul(n),
        'b',
      ],
      [x],
      { scale: 0.5 },
      3,
    );
    expect(b).to.equal('b');
    a.sum().backward();
    expect(((x.grad as Tensor).tolist() as number[])[0]).to.be.closeTo(1.5 * Math.exp(0.5), 1e-5);
  });

  it('draws other random numbers where it is told so, and notices another function', () => {
    const x = randn([200]).requiresGrad_();
    const dropout = (y: Tensor): Tensor => nn.functional.dropout(y.exp(), 0.5, true).exp();
    const kept = checkpoint(dropout, x);
    autograd.grad(kept.sum(), x);
    const different = checkpoint(dropout, x, { preserveRngState: false });
    const [g] = autograd.grad(different.sum(), x);
    const zero = (different.toTypedArray() as Float32Array).map((value, i) =>
      Number((value === 1) !== (g.toTypedArray()[i] === 0)),
    );
    expect(zero.reduce((sum, value) => sum + value, 0)).to.be.greaterThan(0);
    let times = 0;
    const changing = (y: Tensor): Tensor => (times++ === 0 ? y.exp().exp() : y.exp());
    expect(() => checkpoint(changing, x).sum().backward()).to.throw(
      AutogradError,
      /a second run that saves 2 times, as the first did, got 1/,
    );
    times = 0;
    const narrowing = (y: Tensor): Tensor => (times++ === 0 ? y.exp() : y.narrow(0, 0, 5).exp());
    expect(() => checkpoint(narrowing, x).sum().backward()).to.throw(
      AutogradError,
      /saves float32\[200\] at place 0, as the first did, got float32\[5\]/,
    );
  });

  it('notices a change in place of what a node saved', () => {
    const fn = (y: Tensor): Tensor => {
      const z = y.exp();
      const out = z.mul(1);
      noGrad(() => z.add_(1));
      return out;
    };
    const x = tensor([0.5, 1], { requiresGrad: true });
    expect(() => fn(x).sum().backward()).to.throw(AutogradError, /in-place/);
    expect(() => checkpoint(fn, x, { earlyStop: false }).sum().backward()).to.throw(AutogradError, /changed in place/);
  });

  it('an error of the second run is thrown, and leaves nothing behind', () => {
    let times = 0;
    const x = randn([3]).requiresGrad_();
    const failing = (y: Tensor): Tensor => {
      if (times++ > 0) throw new RangeError('mine');
      return y.exp();
    };
    const y = checkpoint(failing, x).sum();
    expect(() => y.backward({ retainGraph: true })).to.throw(RangeError, 'mine');
    times = 0;
    y.backward();
    expect(x.grad?.tolist()).to.deep.equal(x.exp().tolist());
  });

  it('checkpointSequential runs a list or a Sequential in parts', () => {
    const layers = (): nn.Sequential => {
      manualSeed(1);
      return new nn.Sequential(
        new nn.Linear(4, 4),
        new nn.Tanh(),
        new nn.Dropout(0.5),
        new nn.Linear(4, 4),
        new nn.Sigmoid(),
      );
    };
    const run = (call: (module: nn.Sequential, x: Tensor) => Tensor): unknown => {
      const module = layers();
      const x = randn([3, 4]).requiresGrad_();
      call(module, x).sum().backward();
      return [x.grad?.tolist(), ...module.parameters().map((p) => p.grad?.tolist())];
    };
    const expected = run((module, x) => module(x));
    expect(run((module, x) => checkpointSequential(module, 2, x, { useReentrant: false }))).to.deep.equal(expected);
    expect(run((module, x) => checkpointSequential(module.children() as never, 5, x))).to.deep.equal(expected);
    expect(
      run((functions, input) => checkpointSequential({ functions, segments: 3, input, preserveRngState: true })),
    ).to.deep.equal(expected);
    const module = layers();
    const x = randn([3, 4]);
    expect(() => checkpointSequential(module, 6, x)).to.throw(ArgumentError, /at most 5 segments/);
    expect(() => checkpointSequential(module, 0, x)).to.throw(ArgumentError, /segments/);
    expect(() => checkpointSequential([5] as never, 1, x)).to.throw(ArgumentError, /functions, got 5/);
    expect(() => checkpointSequential(module, 1, 5 as never)).to.throw(ArgumentError, /a tensor as input/);
  });

  it('refuses what cannot be', () => {
    const x = randn([3]);
    expect(() => checkpoint(5 as never)).to.throw(ArgumentError, /checkpoint: expected a function, got 5/);
    expect(() => checkpoint((y: Tensor) => y, x, { useReentrant: 1 as never })).to.throw(ArgumentError, /useReentrant/);
    expect(() => checkpoint((y: Tensor) => y, x, { useReentrant: false, preserve: 1 } as never)).to.throw(
      ArgumentError,
      /unknown option "preserve"/,
    );
    expect(() => checkpoint((y: Tensor) => y, x, { determinismCheck: 'all' as never })).to.throw(
      ArgumentError,
      /determinismCheck/,
    );
    expect(() => checkpoint(async (y: Tensor) => y, x)).to.throw(ArgumentError, /done when it returns/);
  });
});
