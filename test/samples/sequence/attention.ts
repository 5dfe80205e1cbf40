/** Samples of attention. Bool masks and dropout's randomness are closed over; every input is differentiated. */
import { ArgumentError, DTypeError, nn, ShapeError, tensor } from '../../../lib/index.js';
import { make, samples } from '../sample.js';

const F = nn.functional;
const keep = tensor([
  [true, false, true],
  [false, false, false],
]);

samples({
  fn: 'nn.functional.scaledDotProductAttention',
  cases: [
    {
      name: 'one head',
      inputs: [make([2, 3]), make([4, 3]), make([4, 2])],
      call: (q, k, v) => F.scaledDotProductAttention(q, k, v),
    },
    {
      name: 'heads that broadcast',
      inputs: [make([2, 2, 3, 2]), make([1, 2, 4, 2]), make([2, 1, 4, 2])],
      call: (q, k, v) => F.scaledDotProductAttention(q, k, v, { scale: 0.7 }),
    },
    {
      name: 'causal',
      inputs: [make([2, 4, 2]), make([2, 3, 2]), make([2, 3, 2])],
      call: (q, k, v) => F.scaledDotProductAttention(q, k, v, { isCausal: true }),
    },
    {
      name: 'a bool mask, with a query that sees nothing',
      inputs: [make([2, 2]), make([3, 2]), make([3, 2])],
      call: (q, k, v) => F.scaledDotProductAttention(q, k, v, keep),
    },
    {
      name: 'a trained mask',
      inputs: [make([2, 2]), make([3, 2]), make([3, 2]), make([2, 3])],
      call: (q, k, v, mask) => F.scaledDotProductAttention(q, k, v, mask),
    },
    {
      name: 'grouped queries',
      inputs: [make([1, 4, 2, 2]), make([1, 2, 3, 2]), make([1, 2, 3, 2])],
      call: (q, k, v) => F.scaledDotProductAttention(q, k, v, { enableGqa: true }),
    },
    {
      name: 'no queries',
      inputs: [make([0, 2]), make([3, 2]), make([3, 2])],
      call: (q, k, v) => F.scaledDotProductAttention(q, k, v),
    },
    {
      name: 'no keys',
      inputs: [make([2, 2]), make([0, 2]), make([0, 2])],
      call: (q, k, v) => F.scaledDotProductAttention(q, k, v),
    },
  ],
  errors: [
    {
      name: 'features differ',
      call: () => F.scaledDotProductAttention(make([2, 2]), make([3, 3]), make([3, 2])),
      error: ShapeError,
      message: /query and key of one last size, got 2 and 3/,
    },
    {
      name: 'as many keys as values',
      call: () => F.scaledDotProductAttention(make([2, 2]), make([3, 2]), make([4, 2])),
      error: ShapeError,
      message: /as many keys as values, got 3 and 4/,
    },
    {
      name: 'mask and causal',
      call: () => F.scaledDotProductAttention(make([2, 2]), make([3, 2]), make([3, 2]), keep, { isCausal: true }),
      error: ArgumentError,
      message: /attnMask or isCausal, not both/,
    },
    {
      name: 'a mask too large',
      call: () => F.scaledDotProductAttention(make([2, 2]), make([3, 2]), make([3, 2]), make([3, 3])),
      error: ShapeError,
      message: /attnMask that broadcasts/,
    },
    {
      name: 'types differ',
      call: () => F.scaledDotProductAttention(make([2, 2]), make([3, 2]).float(), make([3, 2])),
      error: DTypeError,
      message: /of one dtype/,
    },
  ],
});

const padding = tensor([
  [false, false, true],
  [false, true, true],
]);
const projections = (): ReturnType<typeof make>[] => [make([12, 4]), make([12]), make([4, 4]), make([4])];
samples({
  fn: 'nn.functional.multiHeadAttentionForward',
  cases: [
    {
      name: 'with weights, averaged',
      inputs: [make([2, 2, 4]), make([3, 2, 4]), make([3, 2, 4]), ...projections()],
      call: (q, k, v, w, b, o, c) =>
        F.multiHeadAttentionForward(q, k, v, 4, 2, w, b, null, null, false, 0, o, c) as ReturnType<typeof make>[],
    },
    {
      name: 'self-attention without a batch, weights a head',
      inputs: [make([3, 4]), ...projections()],
      call: (x, w, b, o, c) =>
        F.multiHeadAttentionForward(x, x, x, 4, 2, w, b, null, null, false, 0, o, c, {
          averageAttnWeights: false,
        }) as ReturnType<typeof make>[],
    },
    {
      name: 'padding, a bias and a zero for keys, without weights',
      inputs: [make([2, 2, 4]), make([3, 2, 4]), ...projections(), make([1, 1, 4]), make([1, 1, 4])],
      call: (q, k, w, b, o, c, bk, bv) =>
        F.multiHeadAttentionForward(q, k, k, 4, 2, w, b, bk, bv, true, 0, o, c, {
          keyPaddingMask: padding,
          needWeights: false,
        })[0],
    },
    {
      name: 'weights of their own',
      inputs: [
        make([2, 2, 4]),
        make([3, 2, 3]),
        make([3, 2, 2]),
        make([4, 4]),
        make([4, 3]),
        make([4, 2]),
        make([4, 4]),
      ],
      call: (q, k, v, wq, wk, wv, o) =>
        F.multiHeadAttentionForward(q, k, v, 4, 2, null, null, null, null, false, 0, o, null, {
          useSeparateProjWeight: true,
          qProjWeight: wq,
          kProjWeight: wk,
          vProjWeight: wv,
          needWeights: false,
        })[0],
    },
  ],
  errors: [
    {
      name: 'heads that do not divide',
      call: () =>
        F.multiHeadAttentionForward(
          make([2, 2, 4]),
          make([2, 2, 4]),
          make([2, 2, 4]),
          4,
          3,
          make([12, 4]),
          null,
          null,
          null,
          false,
          0,
          make([4, 4]),
          null,
        ),
      error: ArgumentError,
      message: /an embedding dimension that numHeads divides/,
    },
    {
      name: 'a mask of another shape',
      call: () =>
        F.multiHeadAttentionForward(
          make([2, 2, 4]),
          make([2, 2, 4]),
          make([2, 2, 4]),
          4,
          2,
          make([12, 4]),
          null,
          null,
          null,
          false,
          0,
          make([4, 4]),
          null,
          {
            attnMask: make([3, 3]),
          },
        ),
      error: ShapeError,
      message: /an attnMask of shape/,
    },
    ...['attnMask', 'keyPaddingMask'].map((mask) => ({
      name: `an ${mask} of another floating type`,
      call: () =>
        F.multiHeadAttentionForward(
          make([2, 2, 4]),
          make([2, 2, 4]),
          make([2, 2, 4]),
          4,
          2,
          make([12, 4]),
          null,
          null,
          null,
          false,
          0,
          make([4, 4]),
          null,
          {
            [mask]: make([2, 2]).half(),
          },
        ),
      error: DTypeError,
      message: /expected masks of the query's type or bool, got float16/,
    })),
  ],
});
