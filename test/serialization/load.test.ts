/**
 * `load` on files that PyTorch wrote (scripts/fixtures/serialization.py): every kind of value, sharing, strides,
 * training states.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import {
  ArgumentError,
  CheckpointError,
  DeviceError,
  load,
  nn,
  optim,
  save,
  saveToBuffer,
  type Tensor,
  tensor,
} from '../../lib/index.js';
import { rejection } from './rejection.js';

const fixtures = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', 'fixtures', 'serialization');
const fixture = (name: string): string => path.join(fixtures, name);

describe('load: tensors of PyTorch', () => {
  let t: Record<string, Tensor>;
  before(async () => {
    t = await load(fixture('tensors.pt'));
  });

  it('reads every dtype', () => {
    expect(t.float32.tolist()).to.deep.equal([
      [0.5, -1.25],
      [Infinity, Math.fround(3e-39)],
    ]);
    expect(t.float64.tolist()).to.deep.equal([1.1, -2.2]);
    expect(t.int64.toTypedArray()).to.deep.equal(BigInt64Array.of(-(2n ** 62n), 7n));
    expect(t.int32.tolist()).to.deep.equal([-(2 ** 31), 7]);
    expect(t.int16.tolist()).to.deep.equal([-32768, 7]);
    expect(t.int8.tolist()).to.deep.equal([-128, 7]);
    expect(t.uint8.tolist()).to.deep.equal([255, 7]);
    expect(t.bool.tolist()).to.deep.equal([true, false, true]);
    expect(t.bfloat16.tolist()).to.deep.equal([1.5, -0.0078125]);
    expect(t.float16.tolist()).to.deep.equal([1.5, 65504]);
    for (const name of [
      'float32',
      'float64',
      'int64',
      'int32',
      'int16',
      'int8',
      'uint8',
      'bool',
      'bfloat16',
      'float16',
    ])
      expect(t[name].dtype).to.equal(name);
  });

  it('keeps shapes, strides and shared memory', () => {
    expect(t.scalar.shape).to.deep.equal([]);
    expect(t.scalar.item()).to.equal(42);
    expect(t.empty.shape).to.deep.equal([0, 3]);
    expect(t.row.tolist()).to.deep.equal([20, 21, 22, 23]);
    expect(t.transposed.shape).to.deep.equal([4, 3, 2]);
    expect(t.transposed.strides).to.deep.equal([1, 4, 12]);
    expect(t.transposed.contiguous().tolist()).to.deep.equal([
      [
        [0, 12],
        [4, 16],
        [8, 20],
      ],
      [
        [1, 13],
        [5, 17],
        [9, 21],
      ],
      [
        [2, 14],
        [6, 18],
        [10, 22],
      ],
      [
        [3, 15],
        [7, 19],
        [11, 23],
      ],
    ]);
    expect(t.stepped.tolist()).to.deep.equal([
      [
        [1, 3],
        [9, 11],
      ],
      [
        [13, 15],
        [21, 23],
      ],
    ]);
    expect(t.expanded.strides).to.deep.equal([0]);
    expect(t.expanded.tolist()).to.deep.equal([5, 5, 5]);
    t.base.add_(100);
    expect(t.row.tolist()).to.deep.equal([120, 121, 122, 123]);
  });

  it('keeps gradients wanted, and parameters', () => {
    expect([t.grad.requiresGrad, t.float32.requiresGrad]).to.deep.equal([true, false]);
    expect(t.parameter).to.be.instanceOf(nn.Parameter);
    expect(t.parameter.requiresGrad).to.equal(true);
    expect(t.frozen).to.be.instanceOf(nn.Parameter);
    expect(t.frozen.requiresGrad).to.equal(false);
    expect(t.grad).not.to.be.instanceOf(nn.Parameter);
  });
});

describe('load: values of Python', () => {
  let v: Record<string, unknown>;
  before(async () => {
    v = await load(fixture('values.pt'));
  });

  it('reads plain values', () => {
    const plain = [
      v.none,
      v.true,
      v.false,
      v.small,
      v.negative,
      v.safe,
      v.big,
      v.minus_big,
      v.float,
      v.integral_float,
      v.nan,
      v.infinity,
      v.text,
      v.empty_text,
      v.dtype,
      v.device,
    ];
    expect(plain).to.deep.equal([
      null,
      true,
      false,
      5,
      -70000,
      2 ** 53 - 1,
      2n ** 70n,
      -(2n ** 63n),
      0.1,
      3,
      Number.NaN,
      -Infinity,
      'Grüße, 世界 🧠',
      '',
      'bfloat16',
      'cpu',
    ]);
  });

  it('reads containers; tuples are frozen', () => {
    expect(v.list).to.deep.equal([1, [2.5, 'x'], []]);
    expect(v.list).not.to.satisfy(Object.isFrozen);
    expect(v.tuple).to.deep.equal([0.9, 0.999]).and.to.satisfy(Object.isFrozen);
    expect(v.long_tuple).to.deep.equal([1, 2, 3, 4]);
    expect(v.empty_tuple).to.deep.equal([]);
    expect(v.size).to.deep.equal([2, 3]).and.to.satisfy(Object.isFrozen);
    expect(v.dict).to.deep.equal({ b: 1, a: { c: 2 } });
    expect(Object.keys(v.dict as object)).to.deep.equal(['b', 'a']);
    expect(v.empty_dict).to.deep.equal({});
    expect(v.ordered).to.deep.equal({ y: 1, x: 2 });
    expect(v.bytes).to.deep.equal(Uint8Array.of(0, 255, 97, 98, 99));
    expect(v.bytearray).to.deep.equal(Uint8Array.of(1, 254));
    expect(v.set).to.deep.equal(new Set([1, 'two']));
  });

  it('makes a Map where a key is no string', () => {
    expect(v.integers).to.deep.equal(
      new Map([
        [0, 'zero'],
        [10, 'ten'],
      ]),
    );
    expect([...(v.mixed as Map<unknown, unknown>)]).to.deep.equal([
      ['a', 1],
      [2, 'b'],
      [[1, 2], 'c'],
      [null, 3],
    ]);
  });

  it('keeps identity and cycles', () => {
    const [a, b] = v.shared as unknown[];
    expect(a).to.equal(b);
    expect((v.cyclic as unknown[])[0]).to.equal(v.cyclic);
  });

  it('takes __proto__ as any other key', () => {
    expect(Object.getOwnPropertyDescriptor(v, '__proto__')?.value).to.deep.equal({ polluted: true });
    expect(Object.getPrototypeOf(v)).to.equal(Object.prototype);
    expect(({} as Record<string, unknown>).polluted).to.equal(undefined);
  });

  it('reads pickles of protocols 4 and 5, and tensors with attributes', async () => {
    expect((await load<Tensor>(fixture('protocol4.pt'))).tolist()).to.deep.equal([1, 2]);
    expect(await load(fixture('protocol5.pt'))).to.deep.equal([
      1,
      { a: Uint8Array.of(120, 121), s: new Set([3]) },
      2 ** 40,
    ]);
    expect((await load<{ tagged: Tensor }>(fixture('attribute.pt'))).tagged.tolist()).to.deep.equal([1, 2]);
  });
});

describe('load: training states', () => {
  it('reads the state of a module and of its optimizer', async () => {
    const { epoch, state_dict: state, optimizer } = await load(fixture('training.pt'));
    expect(epoch).to.equal(3);
    expect(Object.keys(state)).to.deep.equal([
      '0.weight',
      '0.bias',
      '1.weight',
      '1.bias',
      '1.running_mean',
      '1.running_var',
      '1.num_batches_tracked',
    ]);
    expect(state['1.num_batches_tracked'].item()).to.equal(1);
    expect(state['0.weight'].shape).to.deep.equal([2, 3]);
    expect([...optimizer.state.keys()]).to.deep.equal([0, 1, 2, 3]);
    expect(optimizer.state.get(0).step.item()).to.equal(1);
    expect(optimizer.state.get(2).exp_avg.shape).to.deep.equal([2]);
    expect(optimizer.param_groups).to.have.length(1);
    expect(optimizer.param_groups[0]).to.deep.include({
      lr: 0.5,
      betas: [0.5, 0.75],
      params: [0, 1, 2, 3],
      foreach: null,
      amsgrad: false,
    });
  });

  it('continues a training of PyTorch, and hands it back', async () => {
    const { state_dict: state, optimizer: saved } = await load(fixture('training.pt'));
    const linear = new nn.Linear(3, 2);
    linear.loadStateDict({ weight: state['0.weight'], bias: state['0.bias'] });
    expect(linear.weight.tolist()).to.deep.equal(state['0.weight'].tolist());
    const params = [
      linear.weight,
      linear.bias as nn.Parameter,
      tensor([1, 1], { requiresGrad: true }),
      tensor([0, 0], { requiresGrad: true }),
    ];
    const optimizer = new optim.Adam(params);
    optimizer.loadStateDict(saved);
    expect(optimizer.paramGroups[0]).to.deep.include({ lr: 0.5, betas: [0.5, 0.75] });
    const back = await load(await saveToBuffer({ optimizer: optimizer.stateDict(), model: linear.stateDict() }));
    expect([...back.optimizer.state.keys()]).to.deep.equal([0, 1, 2, 3]);
    for (const [key, values] of saved.state)
      for (const name of ['step', 'exp_avg', 'exp_avg_sq'])
        expect(back.optimizer.state.get(key)[name].tolist(), `${name} of ${key}`).to.deep.equal(values[name].tolist());
    expect(back.optimizer.param_groups[0].params).to.deep.equal([0, 1, 2, 3]);
    expect(Object.keys(back.model)).to.deep.equal(['weight', 'bias']);
    // What is saved are tensors, not parameters, as in PyTorch.
    expect(back.model.weight).not.to.be.instanceOf(nn.Parameter);
  });

  it('refuses a module itself, and says what to save', async () => {
    expect((await rejection(saveToBuffer({ model: new nn.Linear(1, 1) }))).message).to.match(
      /save its stateDict\(\) \(at \.model\)/,
    );
  });

  it('keeps the versions of modules, unseen, when saved again', async () => {
    const { state_dict: state } = await load(fixture('training.pt'));
    const again = await load(await saveToBuffer(state));
    expect(Object.getOwnPropertyDescriptor(again, '_metadata')?.enumerable).to.equal(false);
    expect(again._metadata['1']).to.deep.equal({ version: 2 });
  });
});

describe('load: sources and options', () => {
  it('takes a path, a URL, bytes and an ArrayBuffer', async () => {
    const bytes = await readFile(fixture('protocol4.pt'));
    const copy = new Uint8Array(bytes).buffer;
    for (const source of [fixture('protocol4.pt'), pathToFileURL(fixture('protocol4.pt')), bytes, copy])
      expect((await load<Tensor>(source, { mapLocation: 'cpu', weightsOnly: true })).tolist()).to.deep.equal([1, 2]);
  });

  it('takes a file that was written without checksums', async () => {
    expect((await load<Tensor[]>(fixture('no-checksums.pt')))[0].tolist()).to.deep.equal([1, 2]);
  });

  it('names what it refuses of PyTorch', async () => {
    for (const [name, message] of [
      ['legacy.pt', /before 1\.6/],
      ['complex.pt', /torch\.ComplexFloatStorage/],
      ['sparse.pt', /_rebuild_sparse_tensor: sparse tensors are not supported/],
      ['module.pt', /torch\.nn\.modules\.linear\.Linear, which is not in the fixed table/],
      ['script.pt', /TorchScript/],
    ] as const) {
      const error = await rejection(load(fixture(name)));
      expect(error, name).to.be.instanceOf(CheckpointError);
      expect(error.message, name).to.match(message);
    }
  });

  it('refuses wrong arguments', async () => {
    expect(await rejection(load(fixture('tensors.pt'), { mapLocation: 'cuda' }))).to.be.instanceOf(DeviceError);
    expect(await rejection(load(fixture('tensors.pt'), { weightsOnly: false }))).to.be.instanceOf(ArgumentError);
    expect((await rejection(load(fixture('tensors.pt'), { maplocation: 'cpu' } as never))).message).to.match(
      /did you mean "mapLocation"/,
    );
    expect(await rejection(load(5 as never))).to.be.instanceOf(ArgumentError);
    expect((await rejection(load(fixture('missing.pt')))).message).to.match(
      /^load: expected a readable file at .*missing\.pt", got ENOENT/,
    );
    expect(await rejection(load(fixtures))).to.be.instanceOf(CheckpointError);
    expect(await rejection(save({}, '' as never))).to.be.instanceOf(ArgumentError);
  });
});
