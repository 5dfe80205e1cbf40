/** Cases of attention and of recurrent layers, defined on a tape. */
import { type DType, nn, type Tensor } from '../../lib/index.js';
import type { Tape } from '../reference/tape.js';
import { type Case, pick, range, taped, WITH_HALVES } from './case.js';

const F = nn.functional;

function attention(
  batch: number,
  length: number,
  others: number,
  width: number,
  causal: boolean,
  masked: boolean,
  dtypes?: readonly DType[],
): Case {
  return {
    name: `attention ${batch}x${length}x${others}x${width}${causal ? ' causal' : ''}${masked ? ' with a mask' : ''}`,
    inputs: [
      { shape: [batch, 2, length, width], low: -2, high: 2 },
      { shape: [batch, 2, others, width], low: -2, high: 2 },
      { shape: [batch, 2, others, width], low: -2, high: 2 },
      ...(masked ? [{ shape: [length, others], constant: true }] : []),
    ],
    call: (q, k, v, mask) => F.scaledDotProductAttention(q, k, v, masked ? mask : undefined, 0, causal),
    reference: taped((t, q, k, v, mask) => {
      const out: number[] = [];
      for (let b = 0; b < 2 * batch; b++)
        for (let i = 0; i < length; i++) {
          const row = pick(q, range(width, (b * length + i) * width));
          const seen = causal ? Math.min(i + 1, others) : others;
          const scores = range(seen).map((j) => {
            const score = t.affine(t.dot(row, pick(k, range(width, (b * others + j) * width))), 1 / Math.sqrt(width));
            return masked ? t.add(score, mask[i * others + j]) : score;
          });
          const p = t.softmax(scores);
          for (let d = 0; d < width; d++) {
            out.push(
              t.dot(
                p,
                range(seen).map((j) => v[(b * others + j) * width + d]),
              ),
            );
          }
        }
      return out;
    }),
    terms: Math.max(length, others),
    roundings: 6,
    dtypes,
  };
}

type Cell = (t: Tape, x: number[], h: number[], c: number[]) => void;
/** gates = Wih x + bih and Whh h + bhh, apart. */
function gates(
  t: Tape,
  count: number,
  weights: readonly Int32Array[],
  x: readonly number[],
  h: readonly number[],
): [number[], number[]] {
  const [ih, hh, bi, bh] = weights;
  const affine = (w: Int32Array, b: Int32Array, v: readonly number[]): number[] =>
    range(count).map((r) => t.add(t.dot(w.subarray(r * v.length, (r + 1) * v.length), v), b[r]));
  return [affine(ih, bi, x), affine(hh, bh, h)];
}
function recurrent(kind: 'LSTM' | 'GRU' | 'RNN', steps: number, batch: number, width: number, hidden: number): Case {
  const count = { LSTM: 4, GRU: 3, RNN: 1 }[kind] * hidden;
  const shapes = [[count, width], [count, hidden], [count], [count]];
  return {
    name: `${kind} ${steps}x${batch}x${width} to ${hidden}`,
    inputs: [{ shape: [steps, batch, width] }, ...shapes.map((shape) => ({ shape }))],
    call: (x, ...weights) => {
      const layer: nn.Module = new nn[kind](width, hidden);
      ['weightIhL0', 'weightHhL0', 'biasIhL0', 'biasHhL0'].forEach((name, i) => {
        layer.setMember(name, weights[i]);
      });
      const [y, state] = (layer as nn.RNN)(x) as [Tensor, Tensor | Tensor[]];
      return [y, ...(Array.isArray(state) ? state : [state])] as Tensor[];
    },
    reference: taped((t, x, ...weights) => {
      const cell: Cell = (_, row, h, c) => {
        const [a, b] = gates(t, count, weights, row, h);
        const at = (k: number, i: number): number => k * hidden + i;
        const both = (k: number, i: number): number => t.add(a[at(k, i)], b[at(k, i)]);
        const before = [...h];
        for (let i = 0; i < hidden; i++) {
          if (kind === 'LSTM') {
            c[i] = t.add(t.mul(t.sigmoid(both(1, i)), c[i]), t.mul(t.sigmoid(both(0, i)), t.tanh(both(2, i))));
            h[i] = t.mul(t.sigmoid(both(3, i)), t.tanh(c[i]));
          } else if (kind === 'GRU') {
            const update = t.sigmoid(both(1, i));
            const fresh = t.tanh(t.add(a[at(2, i)], t.mul(t.sigmoid(both(0, i)), b[at(2, i)])));
            h[i] = t.add(t.mul(t.affine(update, -1, 1), fresh), t.mul(update, before[i]));
          } else h[i] = t.tanh(both(0, i));
        }
      };
      const states = range(batch).map(() => [
        range(hidden).map(() => t.constant(0)),
        range(hidden).map(() => t.constant(0)),
      ]);
      const y: number[] = [];
      for (let s = 0; s < steps; s++)
        for (let n = 0; n < batch; n++) {
          cell(t, pick(x, range(width, (s * batch + n) * width)), states[n][0], states[n][1]);
          y.push(...states[n][0]);
        }
      const last = [states.flatMap(([h]) => h), states.flatMap(([, c]) => c)];
      return [y, ...(kind === 'LSTM' ? last : last.slice(0, 1))];
    }),
    terms: 4 * steps * batch * Math.max(width, hidden),
  };
}
export const sequences: readonly Case[] = [
  attention(2, 5, 5, 8, true, false, ['float32', 'float64', 'bfloat16']),
  attention(1, 33, 33, 16, true, false, WITH_HALVES),
  attention(1, 33, 17, 7, false, true),
  attention(1, 67, 131, 8, false, false),
  attention(1, 1, 65, 24, false, false),
  attention(1, 131, 131, 8, true, false, ['float32', 'bfloat16']),
  attention(1, 50, 290, 5, false, true, ['float32', 'float64']),
  attention(1, 270, 270, 4, true, false, ['float32']),
  recurrent('LSTM', 5, 3, 6, 9),
  recurrent('LSTM', 3, 17, 5, 17),
  recurrent('GRU', 5, 3, 6, 9),
  recurrent('GRU', 3, 17, 5, 17),
  recurrent('LSTM', 4, 19, 3, 120),
  recurrent('GRU', 4, 21, 3, 137),
  recurrent('RNN', 5, 3, 6, 9),
];
