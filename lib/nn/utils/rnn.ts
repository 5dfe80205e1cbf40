/** `nn.utils.rnn`: sequences of different lengths, padded to one tensor or packed without padding, and back. */

import { defineFunction } from '../../dispatch/define-function.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { tensorArgument, tensorArguments } from '../../ops/core/promotion.js';
import { reshape } from '../../ops/core/view.js';
import { full } from '../../ops/creation/factories.js';
import { indexSelect } from '../../ops/indexing/index-select.js';
import { cat } from '../../ops/views/cat.js';
import { transpose } from '../../ops/views/permute.js';
import { narrow, select } from '../../ops/views/slice.js';
import { type Shape, sameShape } from '../../shape/layout.js';
import { Tensor } from '../../tensor/tensor.js';
import { indexTensor, PackedSequence } from '../packed-sequence.js';

export { PackedSequence } from '../packed-sequence.js';

const filled = (shape: Shape, value: number, like: Tensor): Tensor => full(shape, value, { dtype: like.dtype });
const joined = (parts: readonly Tensor[], dim: number): Tensor => (parts.length === 1 ? parts[0] : cat(parts, dim));

function lengthsOf(op: string, lengths: Tensor | readonly number[]): number[] {
  if (!(lengths instanceof Tensor) && !Array.isArray(lengths))
    fail(ArgumentError, op, 'a tensor or an array of lengths', describe(lengths));
  const list = lengths instanceof Tensor ? Array.from(lengths.toTypedArray(), Number) : [...lengths];
  if (list.length === 0 || list.some((n) => !Number.isInteger(n) || n < 1))
    fail(ArgumentError, op, 'lengths of at least 1', describe(list));
  return list;
}

/**
 * Packs padded sequences [T, B, ...] ([B, T, ...] with `batchFirst`) of the given lengths, without their padding.
 * `enforceSorted` (default true) wants the longest first; false sorts them. torch.nn.utils.rnn.pack_padded_sequence
 */
export const packPaddedSequence = defineFunction(
  {
    name: 'nn.utils.rnn.packPaddedSequence',
    parameters: ['input', 'lengths', 'batchFirst', 'enforceSorted'],
    required: 2,
  },
  (
    input: Tensor,
    lengths: Tensor | readonly number[],
    batchFirst: boolean = false,
    enforceSorted: boolean = true,
  ): PackedSequence => {
    const op = 'packPaddedSequence';
    const given = tensorArgument(op, 'input', input);
    if (given.shape.length < 2) fail(ShapeError, op, 'an input of at least 2 dimensions', String(given.shape.length));
    let list = lengthsOf(op, lengths);
    let x = batchFirst ? transpose(given, 0, 1) : given;
    if (list.length !== x.shape[1])
      fail(ShapeError, op, `${x.shape[1]} lengths, one a sequence`, String(list.length), { input: given });
    let order: Tensor | null = null;
    if (!enforceSorted) {
      const indices = list.map((_, i) => i).sort((a, b) => list[b] - list[a] || a - b);
      order = indexTensor(indices);
      list = indices.map((i) => list[i]);
      x = indexSelect(x, 1, order);
    }
    if (list.some((n, i) => i > 0 && n > list[i - 1]))
      fail(ArgumentError, op, 'lengths that never rise (or enforceSorted: false)', describe(list));
    if (list[0] > x.shape[0])
      fail(ShapeError, op, `lengths of at most ${x.shape[0]}`, String(list[0]), { input: given });
    const sizes = Array.from({ length: list[0] }, (_, t) => list.filter((n) => n > t).length);
    const packed = new PackedSequence(x, indexTensor(sizes), order);
    let t = 0;
    const parts = packed.segments().map(({ steps, batch }) => {
      const part = reshape(narrow(narrow(x, 0, t, steps), 1, 0, batch), [steps * batch, ...x.shape.slice(2)]);
      t += steps;
      return part;
    });
    return new PackedSequence(joined(parts, 0), packed.batchSizes, order, packed.unsortedIndices);
  },
);

/**
 * The inverse of `packPaddedSequence`: [sequences, lengths], [T, B, ...] ([B, T, ...] with `batchFirst`) filled up with
 * `paddingValue` (default 0) to the longest, or to `totalLength`. torch.nn.utils.rnn.pad_packed_sequence
 */
export const padPackedSequence = defineFunction(
  { name: 'nn.utils.rnn.padPackedSequence', parameters: ['sequence', 'batchFirst', 'paddingValue', 'totalLength'] },
  (
    sequence: PackedSequence,
    batchFirst: boolean = false,
    paddingValue: number = 0,
    totalLength?: number | null,
  ): [sequences: Tensor, lengths: Tensor] => {
    const op = 'padPackedSequence';
    if (!(sequence instanceof PackedSequence)) fail(ArgumentError, op, 'a PackedSequence', describe(sequence));
    const { data, unsortedIndices } = sequence;
    const sizes = sequence.sizes();
    const rest = data.shape.slice(1);
    if (totalLength !== null && totalLength !== undefined && totalLength < sizes.length)
      fail(ArgumentError, op, `a totalLength of at least ${sizes.length}`, String(totalLength));
    const parts = sequence.segments().map(({ start, steps, batch }) => {
      const block = reshape(narrow(data, 0, start, steps * batch), [steps, batch, ...rest]);
      return batch === sizes[0]
        ? block
        : cat([block, filled([steps, sizes[0] - batch, ...rest], paddingValue, data)], 1);
    });
    const missing = (totalLength ?? sizes.length) - sizes.length;
    if (missing > 0) parts.push(filled([missing, sizes[0], ...rest], paddingValue, data));
    let out = joined(parts, 0);
    let lengths = indexTensor(Array.from({ length: sizes[0] }, (_, i) => sizes.filter((n) => n > i).length));
    if (unsortedIndices !== null) {
      out = indexSelect(out, 1, unsortedIndices);
      lengths = indexSelect(lengths, 0, unsortedIndices);
    }
    return [batchFirst ? transpose(out, 0, 1) : out, lengths];
  },
);

/** The sequences of a list. A tensor with dimensions counts as the list of its places along the first one. */
function sequenceList(sequences: readonly Tensor[] | Tensor): readonly Tensor[] {
  return sequences instanceof Tensor && sequences.shape.length > 0 ? sequences.unbind(0) : (sequences as Tensor[]);
}

/**
 * Sequences [T_i, ...] as one tensor [T, B, ...] ([B, T, ...] with `batchFirst`), the shorter ones filled up with
 * `paddingValue` on the
 * `paddingSide` ('right' or 'left'). torch.nn.utils.rnn.pad_sequence
 */
export const padSequence = defineFunction(
  {
    name: 'nn.utils.rnn.padSequence',
    parameters: ['sequences', 'batchFirst', 'paddingValue', 'paddingSide'],
    kinds: { sequences: 'any' },
  },
  (
    sequences: readonly Tensor[] | Tensor,
    batchFirst: boolean = false,
    paddingValue: number = 0,
    paddingSide: 'right' | 'left' = 'right',
  ): Tensor => {
    const op = 'padSequence';
    const given = sequenceList(sequences);
    if (!Array.isArray(given) || given.length === 0)
      fail(ArgumentError, op, 'a list of at least one sequence', describe(sequences));
    if (paddingSide !== 'right' && paddingSide !== 'left')
      fail(ArgumentError, op, "paddingSide 'right' or 'left'", describe(paddingSide));
    const list = tensorArguments(op, 'sequence', given);
    const rest = list[0].shape.slice(1);
    for (const s of list)
      if (s.shape.length === 0 || !sameShape(s.shape.slice(1), rest))
        fail(ShapeError, op, `sequences [T, ${rest.join(', ')}]`, `[${s.shape}]`);
    const longest = Math.max(...list.map((s) => s.shape[0]));
    const rows = list.map((s) => {
      const missing = longest - s.shape[0];
      if (missing === 0) return s;
      const padding = filled([missing, ...rest], paddingValue, s);
      return cat(paddingSide === 'right' ? [s, padding] : [padding, s], 0);
    });
    const stacked = cat(
      rows.map((row) => reshape(row, [1, longest, ...rest])),
      0,
    );
    return batchFirst ? stacked : transpose(stacked, 0, 1);
  },
);

/** The sequences of a padded tensor, each cut to its length. torch.nn.utils.rnn.unpad_sequence */
export const unpadSequence = defineFunction(
  { name: 'nn.utils.rnn.unpadSequence', parameters: ['paddedSequences', 'lengths', 'batchFirst'], required: 2 },
  (paddedSequences: Tensor, lengths: Tensor | readonly number[], batchFirst: boolean = false): Tensor[] =>
    lengthsOf('unpadSequence', lengths).map((n, i) =>
      narrow(
        select(tensorArgument('unpadSequence', 'paddedSequences', paddedSequences), batchFirst ? 0 : 1, i),
        0,
        0,
        n,
      ),
    ),
);

/** Packs a list of sequences [T_i, ...]. torch.nn.utils.rnn.pack_sequence */
export const packSequence = defineFunction(
  {
    name: 'nn.utils.rnn.packSequence',
    parameters: ['sequences', 'enforceSorted'],
    kinds: { sequences: 'any' },
  },
  (sequences: readonly Tensor[] | Tensor, enforceSorted: boolean = true): PackedSequence => {
    const padded = padSequence(sequences);
    const lengths = sequenceList(sequences).map((s) => s.shape[0]);
    return packPaddedSequence(padded, lengths, { enforceSorted });
  },
);

/** The inverse of `packSequence`. torch.nn.utils.rnn.unpack_sequence */
export const unpackSequence = defineFunction(
  { name: 'nn.utils.rnn.unpackSequence', parameters: ['packedSequences'] },
  (packedSequences: PackedSequence): Tensor[] => {
    const [padded, lengths] = padPackedSequence(packedSequences, { batchFirst: true });
    return unpadSequence(padded, lengths, true);
  },
);
