/** Samples of packing, padding and their inverses. */
import { ArgumentError, nn, ShapeError } from '../../lib/index.js';
import { make, samples } from './sample.js';

const { rnn } = nn.utils;
samples({
  fn: 'nn.utils.rnn.packPaddedSequence',
  cases: [
    { name: 'sorted', inputs: [make([3, 2, 2])], call: (x) => rnn.packPaddedSequence(x, [3, 1]).data },
    {
      name: 'unsorted, batch first',
      inputs: [make([2, 3, 2])],
      call: (x) => rnn.packPaddedSequence(x, [1, 3], { batchFirst: true, enforceSorted: false }).data,
    },
    { name: 'no features', inputs: [make([3, 2, 0])], call: (x) => rnn.packPaddedSequence(x, [3, 1]).data },
  ],
  errors: [
    {
      name: 'rising lengths',
      call: () => rnn.packPaddedSequence(make([3, 2]), [1, 3]),
      error: ArgumentError,
      message: /packPaddedSequence: expected lengths that never rise/,
    },
  ],
});
samples({
  fn: 'nn.utils.rnn.padPackedSequence',
  cases: [
    {
      name: 'with a total length',
      inputs: [make([3, 2, 2])],
      call: (x) =>
        rnn.padPackedSequence(rnn.packPaddedSequence(x, [1, 3], { enforceSorted: false }), {
          totalLength: 4,
          paddingValue: 2,
        })[0],
    },
  ],
  errors: [
    {
      name: 'a tensor',
      call: () => rnn.padPackedSequence(make([3]) as never),
      error: ArgumentError,
      message: /padPackedSequence: expected a PackedSequence/,
    },
  ],
});
samples({
  fn: 'nn.utils.rnn.padSequence',
  cases: [
    { name: 'right', inputs: [make([3, 2]), make([1, 2])], call: (...x) => rnn.padSequence(x) },
    {
      name: 'left, batch first',
      inputs: [make([1]), make([2])],
      call: (...x) => rnn.padSequence(x, { batchFirst: true, paddingSide: 'left', paddingValue: 3 }),
    },
    { name: 'an empty sequence', inputs: [make([0, 2]), make([1, 2])], call: (...x) => rnn.padSequence(x) },
  ],
  errors: [
    {
      name: 'features differ',
      call: () => rnn.padSequence([make([2, 3]), make([2, 2])]),
      error: ShapeError,
      message: /padSequence: expected sequences/,
    },
  ],
});
samples({
  fn: 'nn.utils.rnn.unpadSequence',
  cases: [
    { name: 'batch first', inputs: [make([2, 3, 2])], call: (x) => rnn.unpadSequence(x, [3, 1], { batchFirst: true }) },
  ],
  errors: [
    {
      name: 'a length of 0',
      call: () => rnn.unpadSequence(make([3, 1]), [0]),
      error: ArgumentError,
      message: /unpadSequence: expected lengths of at least 1/,
    },
  ],
});
samples({
  fn: 'nn.utils.rnn.packSequence',
  cases: [
    {
      name: 'unsorted',
      inputs: [make([1, 2]), make([3, 2])],
      call: (...x) => rnn.packSequence(x, { enforceSorted: false }).data,
    },
  ],
  errors: [
    {
      name: 'none',
      call: () => rnn.packSequence([]),
      error: ArgumentError,
      message: /padSequence: expected a list of at least one sequence/,
    },
  ],
});
samples({
  fn: 'nn.utils.rnn.unpackSequence',
  cases: [
    {
      name: 'what was packed',
      inputs: [make([3, 2]), make([1, 2])],
      call: (...x) => rnn.unpackSequence(rnn.packSequence(x)),
    },
  ],
  errors: [
    {
      name: 'a tensor',
      call: () => rnn.unpackSequence(make([3]) as never),
      error: ArgumentError,
      message: /padPackedSequence: expected a PackedSequence/,
    },
  ],
});
