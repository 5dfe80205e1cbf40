/**
 * Checks that the work of a call follows from its result: with sizes and counts that no machine has room for,
 * factories, constructors and functions that make lists or copies answer at once, with a typed error or a result, and
 * take no memory on the way.
 */
import * as nodegrad from '../../lib/index.js';
import { arange, NodegradError, nn, ones, tensor, zeros } from '../../lib/index.js';
import type { Check } from './checks.js';

const F = nn.functional;
const HUGE = [2 ** 40, 2 ** 45, 2 ** 53 - 1, 1e300];
/** What a call may take before it fails. */
const SPARE_BYTES = 2 ** 28;

/** Calls of one size or count. */
const bySize: Readonly<Record<string, (n: number) => unknown>> = {
  zeros: (n) => zeros([n]),
  ones: (n) => ones([2, n]),
  empty: (n) => nodegrad.empty([n, n]),
  full: (n) => nodegrad.full([n], 1),
  rand: (n) => nodegrad.rand([n]),
  randn: (n) => nodegrad.randn([n]),
  randint: (n) => nodegrad.randint(0, 10, [n]),
  randperm: (n) => nodegrad.randperm(n),
  arange: (n) => arange(n),
  'arange by a small step': (n) => arange(0, 1, 1 / n),
  linspace: (n) => nodegrad.linspace(0, 1, n),
  logspace: (n) => nodegrad.logspace(0, 1, n),
  eye: (n) => nodegrad.eye(n),
  'eye of one row': (n) => nodegrad.eye(1, n),
  emptyStrided: (n) => nodegrad.emptyStrided([2], [n]),
  newZeros: (n) => zeros([1]).newZeros([n]),
  'trilIndices of wide rows': (n) => nodegrad.trilIndices(7, n),
  'trilIndices of many rows': (n) => nodegrad.trilIndices(n, 7),
  'trilIndices of the last rows': (n) => nodegrad.trilIndices(n, 7, 3 - n),
  'triuIndices of wide rows': (n) => nodegrad.triuIndices(7, n),
  'triuIndices of many rows': (n) => nodegrad.triuIndices(n, 7),
  'triuIndices of the last columns': (n) => nodegrad.triuIndices(7, n, n - 3),
  'split of many places': (n) => zeros([1]).expand([n]).split(1),
  'split by a large size': (n) => zeros([5]).split(n),
  'split into large sizes': (n) => zeros([5]).split([n, n]),
  chunk: (n) => zeros([5]).chunk(n),
  'chunk of nothing': (n) => zeros([0]).chunk(n),
  tensorSplit: (n) => zeros([5]).tensorSplit(n),
  'tensorSplit at a large index': (n) => zeros([5]).tensorSplit([n]),
  hsplit: (n) => zeros([0]).hsplit(n),
  vsplit: (n) => zeros([0, 2]).vsplit(n),
  dsplit: (n) => zeros([2, 2, 0]).dsplit(n),
  unbind: (n) => zeros([1]).expand([n]).unbind(),
  'iteration of a long tensor': (n) => [...zeros([1]).expand([n])],
  tolist: (n) => zeros([1]).expand([n]).tolist(),
  toTypedArray: (n) => zeros([1]).expand([n]).toTypedArray(),
  'clone of an expanded tensor': (n) => zeros([1]).expand([n]).contiguous(),
  'the printed form': (n) => String(zeros([1]).expand([n])),
  meshgrid: (n) => nodegrad.meshgrid(zeros([1]).expand([n]), zeros([3])),
  cartesianProd: (n) => nodegrad.cartesianProd(zeros([1]).expand([n]), zeros([3])),
  tile: (n) => nodegrad.tile(zeros([3]), [n]),
  repeat: (n) => zeros([3]).repeat(n, n),
  repeatInterleave: (n) => zeros([3]).repeatInterleave(n),
  'repeatInterleave by a tensor': (n) =>
    zeros([1]).repeatInterleave(tensor([Math.min(n, 2 ** 53 - 1)], { dtype: 'int64' })),
  oneHot: (n) => F.oneHot(tensor([1n]), n),
  'oneHot of a large class': (n) => F.oneHot(tensor([Math.min(n, 2 ** 53 - 1)], { dtype: 'int64' })),
  bincount: (n) => nodegrad.bincount(tensor([1n]), null, n),
  'bincount of a large value': (n) => nodegrad.bincount(tensor([Math.min(n, 2 ** 53 - 1)], { dtype: 'int64' })),
  histc: (n) => nodegrad.histc(ones([3]), n),
  nonzeroStatic: (n) => nodegrad.nonzeroStatic(ones([3]), { size: n }),
  multinomial: (n) => nodegrad.multinomial(ones([3]), n, true),
  pad: (n) => F.pad(ones([3]), [n, 0]),
  'circular pad': (n) => F.pad(ones([1, 1, 3]), [n, 0], 'circular'),
  interpolate: (n) => F.interpolate(ones([1, 1, 3]), n),
  'interpolate by a factor': (n) => F.interpolate(ones([1, 1, 3]), { scaleFactor: n }),
  adaptiveAvgPool1d: (n) => F.adaptiveAvgPool1d(ones([1, 1, 3]), n),
  adaptiveMaxPool1d: (n) => F.adaptiveMaxPool1d(ones([1, 1, 3]), n),
  maxPool1d: (n) => F.maxPool1d(ones([1, 1, 3]), n),
  'convolution with a large padding': (n) => F.conv1d(ones([1, 1, 3]), ones([1, 1, 2]), null, 1, n),
  'unfold with a large padding': (n) => F.unfold(ones([1, 1, 3, 3]), 2, { padding: n }),
  fold: (n) => F.fold(ones([1, 4, 4]), [n, n], 2),
  roll: (n) => nodegrad.roll(ones([3]), n),
  'unfold of a tensor': (n) => ones([3]).unfold(0, n, 1),
  diagEmbed: (n) => nodegrad.diagEmbed(ones([3]), n),
  diagflat: (n) => nodegrad.diagflat(ones([3]), n),
  'sum over an absurd dimension': (n) => ones([3]).sum(n),
  'view as absurd sizes': (n) => ones([3]).view(n, -1),
  topk: (n) => ones([3]).topk(n),
  bernoulli: (n) => nodegrad.bernoulli(zeros([1]).expand([n])),
  'dropout of a long tensor': (n) => F.dropout(zeros([1]).expand([n])),
  'cumsum of a long tensor': (n) => zeros([1]).expand([n]).cumsum(0),
  outer: (n) => nodegrad.outer(zeros([1]).expand([n]), zeros([3])),
  'comparison of a long tensor': (n) => zeros([1]).expand([n]).eq(0),
  'concatenation of long tensors': (n) => nodegrad.cat([zeros([1]).expand([n]), zeros([1]).expand([n])]),
  Linear: (n) => new nn.Linear(n, 2),
  Bilinear: (n) => new nn.Bilinear(n, n, 2),
  Embedding: (n) => new nn.Embedding(n, 64),
  Conv1d: (n) => new nn.Conv1d(n, 2, 1),
  'Conv2d with a large kernel': (n) => new nn.Conv2d(1, 1, n),
  ConvTranspose1d: (n) => new nn.ConvTranspose1d(2, n, 1),
  BatchNorm1d: (n) => new nn.BatchNorm1d(n),
  InstanceNorm1d: (n) => new nn.InstanceNorm1d(n, { affine: true }),
  LayerNorm: (n) => new nn.LayerNorm([n, n]),
  GroupNorm: (n) => new nn.GroupNorm(1, n),
  RMSNorm: (n) => new nn.RMSNorm(n),
  PReLU: (n) => new nn.PReLU(n),
  'LSTM of many inputs': (n) => new nn.LSTM(n, 2),
  'LSTM of many features': (n) => new nn.LSTM(2, n),
  'LSTM of many layers': (n) => new nn.LSTM(2, 2, { numLayers: n }),
  'GRU of many layers': (n) => new nn.GRU(2, 2, n),
  RNNCell: (n) => new nn.RNNCell(2, n),
  MultiheadAttention: (n) => new nn.MultiheadAttention(n, 1),
  TransformerEncoderLayer: (n) => new nn.TransformerEncoderLayer(n, 1),
  'TransformerEncoderLayer with a wide inside': (n) => new nn.TransformerEncoderLayer(2, 1, n),
  'TransformerEncoder of many layers': (n) => new nn.TransformerEncoder(new nn.TransformerEncoderLayer(2, 1, 2), n),
  'TransformerDecoder of many layers': (n) => new nn.TransformerDecoder(new nn.TransformerDecoderLayer(2, 1, 2), n),
  'Transformer of many layers': (n) => new nn.Transformer(2, 1, n, n, 2),
};

/** Single calls. */
const alone: Readonly<Record<string, () => unknown>> = {
  'truncNormal_ in a wide tail': () => nn.init.truncNormal_(zeros([1000]), 0, 1, 1, 1e9),
  'truncNormal_ in a wide tail below': () => nn.init.truncNormal_(zeros([1000]), 0, 1, -1e12, -0.6),
  'truncNormal_ far from the mean': () => nn.init.truncNormal_(zeros([1000]), 0, 1e-3, 2, 1e5),
  'truncNormal_ in float64': () => nn.init.truncNormal_(zeros([1000], { dtype: 'float64' }), 5, 0.01, -1e300, 1e300),
  'cartesianProd of a few vectors': () => nodegrad.cartesianProd(...new Array(6).fill(zeros([1]).expand([1e4]))),
  'outer of two long vectors': () => nodegrad.outer(zeros([2 ** 21]), zeros([2 ** 21])),
  'kron of two matrices': () => nodegrad.kron(zeros([2 ** 10, 2 ** 10]), zeros([2 ** 11, 2 ** 11])),
  'a broadcast sum': () => zeros([2 ** 21, 1]).add(zeros([2 ** 21])),
  'a matrix product': () => zeros([2 ** 21, 1]).matmul(zeros([1, 2 ** 21])),
};

function answered(call: () => unknown): void {
  const before = process.memoryUsage.rss();
  try {
    call();
  } catch (error) {
    if (!(error instanceof NodegradError)) throw new Error((error as Error).stack);
  }
  const taken = process.memoryUsage.rss() - before;
  if (taken > SPARE_BYTES) throw new Error(`took ${taken} bytes`);
}

export const checks: readonly Check[] = [
  ...Object.entries(bySize).map(([name, call]) => ({
    name,
    run: (at: (step: string) => void): void => {
      for (const n of HUGE) {
        at(String(n));
        try {
          answered(() => call(n));
        } catch (error) {
          throw new Error(`${n}: ${(error as Error).message}`);
        }
      }
    },
  })),
  ...Object.entries(alone).map(([name, call]) => ({ name, run: (): void => answered(call) })),
];
