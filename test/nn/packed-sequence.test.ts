/** Packed sequences: packing and back, and recurrent layers over them against each sequence run on its own. */
import { expect } from 'chai';
import {
  ArgumentError,
  arange,
  manualSeed,
  nn,
  ones,
  randn,
  ShapeError,
  type Tensor,
  tensor,
} from '../../lib/index.js';

const rnn = nn.utils.rnn;
const numbers = (x: Tensor): number[] => Array.from(x.double().toTypedArray() as Float64Array);
function expectNear(a: Tensor, b: Tensor, what: string): void {
  expect(a.shape, what).to.deep.equal(b.shape);
  const [x, y] = [numbers(a), numbers(b)];
  for (let i = 0; i < x.length; i++) expect(x[i], what).to.be.closeTo(y[i], 1e-12);
}
const sequences = (): Tensor[] => [3, 5, 1, 3].map((n) => randn([n, 2], { dtype: 'float64' }));

describe('packed sequences', () => {
  it('hold the rows of each step, the longest sequence first, and unpack to what was packed', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 0],
      [6, 0, 0],
    ]).reshape(3, 3, 1);
    const packed = rnn.packPaddedSequence(x, [3, 2, 1], { batchFirst: true });
    expect(numbers(packed.data)).to.deep.equal([1, 4, 6, 2, 5, 3]);
    expect(packed.sizes()).to.deep.equal([3, 2, 1]);
    const [padded, lengths] = rnn.padPackedSequence(packed, { batchFirst: true, paddingValue: -1, totalLength: 4 });
    expect(padded.reshape(3, 4).tolist()).to.deep.equal([
      [1, 2, 3, -1],
      [4, 5, -1, -1],
      [6, -1, -1, -1],
    ]);
    expect(lengths.tolist()).to.deep.equal([3, 2, 1]);
    manualSeed(1);
    const list = sequences();
    rnn.unpackSequence(rnn.packSequence(list, { enforceSorted: false })).forEach((back, i) => {
      expectNear(back, list[i], `sequence ${i}`);
    });
    expect(
      rnn.padSequence([tensor([1]), tensor([2, 3])], { batchFirst: true, paddingSide: 'left' }).tolist(),
    ).to.deep.equal([
      [0, 1],
      [2, 3],
    ]);
  });

  for (const [name, make] of [
    ['LSTM', () => new nn.LSTM(2, 3, { numLayers: 2, bidirectional: true })],
    ['GRU', () => new nn.GRU(2, 3, { numLayers: 2, bidirectional: true })],
    ['RNN', () => new nn.RNN(2, 3)],
  ] as const) {
    it(`${name}: outputs, states and gradients are those of each sequence on its own`, () => {
      manualSeed(2);
      const layer = make().double();
      const list = sequences();
      const rows = layer.numLayers * layer.directions;
      const [h0, c0] = [randn([rows, 4, 3], { dtype: 'float64' }), randn([rows, 4, 3], { dtype: 'float64' })];
      const state = (h: Tensor, c: Tensor): Tensor | Tensor[] => (layer instanceof nn.LSTM ? [h, c] : h);
      const call = layer as unknown as (x: unknown, state: unknown) => [unknown, Tensor | Tensor[]];
      const flat = (s: Tensor | Tensor[]): Tensor[] => (Array.isArray(s) ? s : [s]);

      const [packed, states] = call(rnn.packSequence(list, { enforceSorted: false }), state(h0, c0));
      const outputs = rnn.unpackSequence(packed as nn.utils.rnn.PackedSequence);
      outputs.reduce((sum, out) => sum.add(out.sin().sum()), flat(states)[0].sum()).backward();
      const gradients = layer.parameters().map((p) => (p.grad as Tensor).clone());
      layer.zeroGrad();
      list.forEach((x, i) => {
        const [out, own] = call(x, state(h0.select(1, i), c0.select(1, i)));
        expectNear(outputs[i], out as Tensor, `output ${i}`);
        flat(own).forEach((s, k) => {
          expectNear(flat(states)[k].select(1, i), s, `state ${k} of sequence ${i}`);
        });
        (out as Tensor).sin().sum().add(flat(own)[0].sum()).backward();
      });
      layer.parameters().forEach((p, i) => {
        expectNear(gradients[i], p.grad as Tensor, `gradient ${i}`);
      });
    });
  }

  it('refuse what cannot be packed', () => {
    const x = randn([3, 2, 1]);
    expect(() => rnn.packPaddedSequence(x, [2, 3])).to.throw(
      ArgumentError,
      /packPaddedSequence: expected lengths that never rise/,
    );
    expect(() => rnn.packPaddedSequence(x, [3, 0])).to.throw(ArgumentError, /lengths of at least 1/);
    expect(() => rnn.packPaddedSequence(x, [4, 1])).to.throw(ShapeError, /lengths of at most 3, got 4/);
    expect(() => rnn.packPaddedSequence(x, [3])).to.throw(ShapeError, /2 lengths, one a sequence/);
    expect(() => rnn.padPackedSequence(x as never)).to.throw(ArgumentError, /a PackedSequence/);
    // A tensor counts as the list of its rows.
    expect(rnn.padSequence(arange(6).reshape(2, 3)).tolist()).to.deep.equal([
      [0, 3],
      [1, 4],
      [2, 5],
    ]);
    const packed = rnn.packSequence(ones(2, 3));
    expect(packed.data.tolist()).to.deep.equal([1, 1, 1, 1, 1, 1]);
    expect(packed.batchSizes.tolist()).to.deep.equal([2, 2, 2]);
    expect(() => rnn.padSequence(tensor(1))).to.throw(ArgumentError, /at least one sequence/);
    expect(() => rnn.padSequence([])).to.throw(ArgumentError, /at least one sequence/);
    expect(() => new nn.LSTM(2, 3)(rnn.packPaddedSequence(x, [3, 1]))).to.throw(
      ShapeError,
      /packed data of shape \[N, 2\]/,
    );
  });
});
