/**
 * Einstein summation: subscripts are read into labels, operands are contracted from left to right, each pair by one
 * batched matrix product over permuted views. It knows nothing of kernels.
 */

import { callComposed } from '../../dispatch/composed.js';
import { ArgumentError, describe, fail, ShapeError } from '../../errors.js';
import { elementCount } from '../../shape/layout.js';
import type { Tensor } from '../../tensor/tensor.js';
import { tensorArgument, tensorArguments } from '../core/promotion.js';
import { reshape, viewOp } from '../core/view.js';
import { mul } from '../elementwise/arithmetic.js';
import { dropDims, sum } from '../reductions/reduce.js';
import { permuteOp } from '../views/permute.js';
import { diagonal } from '../views/slice.js';
import { linearOp, matmulOp } from './matmul-op.js';

/**
 * A dimension's name: a letter's code, a sublist's number, or -1, -2, ... for those of an ellipsis, counted from the
 * right.
 */
type Label = number;
interface Operand {
  readonly tensor: Tensor;
  readonly labels: readonly Label[];
}
/** Subscripts of one operand before the ellipsis is spelt out; 'ellipsis' stands for its dimensions. */
type Subscripts = readonly (Label | 'ellipsis')[];

const OP = 'einsum';

function parseTerm(term: string, equation: string): Subscripts {
  const out: (Label | 'ellipsis')[] = [];
  const text = term.replaceAll(' ', '');
  for (let i = 0; i < text.length; i++) {
    if (text.startsWith('...', i)) {
      if (out.includes('ellipsis')) fail(ArgumentError, OP, 'at most one ellipsis a term', describe(equation));
      out.push('ellipsis');
      i += 2;
    } else if (/[A-Za-z]/.test(text[i])) out.push(text.charCodeAt(i));
    else fail(ArgumentError, OP, 'letters, commas, spaces, ellipses and one ->', describe(equation));
  }
  return out;
}

function parseEquation(equation: string, operands: number): { inputs: Subscripts[]; output: Subscripts | null } {
  const arrow = equation.split('->');
  if (arrow.length > 2) fail(ArgumentError, OP, 'at most one ->', describe(equation));
  const inputs = arrow[0].split(',').map((term) => parseTerm(term, equation));
  if (inputs.length !== operands)
    fail(ArgumentError, OP, `${inputs.length} operands for ${describe(equation)}`, String(operands));
  return { inputs, output: arrow.length === 2 ? parseTerm(arrow[1], equation) : null };
}

/**
 * [a, [0, 1], b, [1, 2], [0, 2]]: operands, each followed by its labels, and perhaps the output's; null stands for an
 * ellipsis.
 */
function parseSublists(args: readonly unknown[]): {
  tensors: Tensor[];
  inputs: Subscripts[];
  output: Subscripts | null;
} {
  const labels = (list: unknown): Subscripts => {
    if (!Array.isArray(list)) fail(ArgumentError, OP, 'a list of labels after each operand', describe(list));
    return list.map((label) =>
      typeof label === 'number' && Number.isInteger(label) && label >= 0 && label < 52
        ? label
        : label === null || typeof label === 'symbol'
          ? 'ellipsis'
          : fail(ArgumentError, OP, 'labels of 0 to 51', describe(label)),
    );
  };
  const pairs = Math.floor(args.length / 2);
  if (pairs === 0)
    fail(
      ArgumentError,
      OP,
      'an equation, or at least one operand with its labels',
      args.length === 0 ? 'nothing' : describe(args[0]),
    );
  const tensors = Array.from({ length: pairs }, (_, i) => tensorArgument(OP, `operand ${i}`, args[2 * i]));
  return {
    tensors,
    inputs: tensors.map((_, i) => labels(args[2 * i + 1])),
    output: args.length % 2 === 1 ? labels(args[args.length - 1]) : null,
  };
}

const name = (label: Label): string =>
  label >= 65 ? String.fromCharCode(label) : label < 0 ? 'an ellipsis' : `label ${label}`;

/** Labels of every dimension, with repeated labels reduced to their diagonal. */
function labelled(tensor: Tensor, subscripts: Subscripts): Operand {
  const ndim = tensor.shape.length;
  const named = subscripts.filter((s) => s !== 'ellipsis').length;
  const dots = ndim - named;
  if (dots < 0 || (dots > 0 && !subscripts.includes('ellipsis')))
    fail(ShapeError, OP, `${subscripts.includes('ellipsis') ? 'at least ' : ''}${named} dimensions`, String(ndim), {
      operand: tensor,
    });
  const labels: Label[] = subscripts.flatMap((s) =>
    s === 'ellipsis' ? Array.from({ length: dots }, (_, i) => i - dots) : [s],
  );
  let current = tensor;
  for (let i = 0; i < labels.length; i++) {
    const j = labels.indexOf(labels[i], i + 1);
    if (j < 0) continue;
    if (current.shape[i] !== current.shape[j])
      fail(ShapeError, OP, `one size for ${name(labels[i])}`, `${current.shape[i]} and ${current.shape[j]}`, {
        operand: tensor,
      });
    const label = labels[i];
    current = diagonal(current, 0, i, j);
    labels.splice(j, 1);
    labels.splice(i, 1);
    labels.push(label);
    i--;
  }
  return { tensor: current, labels };
}

/** The operand summed over the dimensions that `keep` does not name. */
function summed({ tensor, labels }: Operand, keep: ReadonlySet<Label>): Operand {
  const dims = labels.flatMap((label, d) => (keep.has(label) ? [] : [d]));
  if (dims.length === 0) return { tensor, labels };
  return {
    tensor: dims.every((d) => tensor.shape[d] === 1)
      ? viewOp([tensor], dropDims(tensor.shape, dims))
      : sum(tensor, dims),
    labels: labels.filter((label) => keep.has(label)),
  };
}

/** Drops dimensions of size 1 that meet a larger size in the other operand: the product repeats them. */
function withoutRepeated(x: Operand, other: Operand): Operand {
  const dims = x.labels.flatMap((label, d) =>
    x.tensor.shape[d] === 1 && other.labels.includes(label) && other.tensor.shape[other.labels.indexOf(label)] !== 1
      ? [d]
      : [],
  );
  if (dims.length === 0) return x;
  return {
    tensor: viewOp([x.tensor], dropDims(x.tensor.shape, dims)),
    labels: x.labels.filter((_, d) => !dims.includes(d)),
  };
}

function ordered({ tensor, labels }: Operand, order: readonly Label[]): Tensor {
  const dims = order.map((label) => labels.indexOf(label));
  return dims.every((d, i) => d === i) ? tensor : permuteOp([tensor], dims);
}

/** The product of two operands, summed over shared labels that `keep` does not name. */
function contract(first: Operand, second: Operand, keep: ReadonlySet<Label>): Operand {
  let a = withoutRepeated(first, second);
  let b = withoutRepeated(second, first);
  a = summed(a, new Set([...keep, ...b.labels]));
  b = summed(b, new Set([...keep, ...a.labels]));
  const size = (x: Operand, labels: readonly Label[]): number[] =>
    labels.map((label) => x.tensor.shape[x.labels.indexOf(label)]);
  const shared = a.labels.filter((label) => b.labels.includes(label));
  // What is kept lies in the result in the order in which the output names it, as in PyTorch.
  const kept = [...keep];
  const inOrder = (labels: Label[]): Label[] => labels.sort((p, q) => kept.indexOf(p) - kept.indexOf(q));
  const batch = inOrder(shared.filter((label) => keep.has(label)));
  const inner = shared.filter((label) => !keep.has(label));
  const left = inOrder(a.labels.filter((label) => !shared.includes(label)));
  const right = inOrder(b.labels.filter((label) => !shared.includes(label)));
  const labels = [...batch, ...left, ...right];
  if (inner.length === 0) {
    const x = ordered(a, [...batch, ...left]);
    const y = ordered(b, [...batch, ...right]);
    const wide = left.length === 0 ? y : reshape(y, [...size(b, batch), ...left.map(() => 1), ...size(b, right)]);
    return { tensor: mul(right.length === 0 ? x : reshape(x, [...x.shape, ...right.map(() => 1)]), wide), labels };
  }
  const [g, m, n, k] = [size(a, batch), size(a, left), size(b, right), size(a, inner)].map(elementCount);
  const x = ordered(a, [...batch, ...left, ...inner]);
  const y = ordered(b, [...batch, ...inner, ...right]);
  const shape = [...size(a, batch), ...size(a, left), ...size(b, right)];
  if (batch.length === 0)
    return {
      tensor: viewOp(
        [linearOp([reshape(x, [m, k]), reshape(y, [k, n])], { op: OP, transpose: false, alpha: 1, beta: 0 })],
        shape,
      ),
      labels,
    };
  const product = matmulOp([reshape(x, [g, m, k]), reshape(y, [g, k, n])], {
    op: OP,
    transposeA: false,
    transposeB: false,
    alpha: 1,
    beta: 0,
  });
  return { tensor: viewOp([product], shape), labels };
}

/**
 * Whether the output names all labels of one operand alone before those of the other alone: the product is then
 * computed as its transpose.
 */
function comesFirst(one: Operand, other: Operand, target: readonly Label[]): boolean {
  const places = (x: Operand, y: Operand): number[] =>
    target.flatMap((label, i) => (x.labels.includes(label) && !y.labels.includes(label) ? [i] : []));
  const [first, second] = [places(one, other), places(other, one)];
  return first.length > 0 && second.length > 0 && first[first.length - 1] < second[0];
}

function checkSizes(operands: readonly Operand[]): void {
  const sizes = new Map<Label, number>();
  for (const { tensor, labels } of operands) {
    labels.forEach((label, d) => {
      const known = sizes.get(label) ?? 1;
      const size = tensor.shape[d];
      if (known !== 1 && size !== 1 && known !== size)
        fail(ShapeError, OP, `one size for ${name(label)}`, `${known} and ${size}`, { operand: tensor });
      if (known === 1) sizes.set(label, size);
    });
  }
}

/** Without an arrow: the ellipsis, then the labels that occur once, in alphabetical order. */
function implicitOutput(operands: readonly Operand[], inputs: readonly Subscripts[]): Label[] {
  const count = new Map<Label, number>();
  for (const label of inputs.flat()) if (label !== 'ellipsis') count.set(label, (count.get(label) ?? 0) + 1);
  const once = [...count].filter(([, n]) => n === 1).map(([label]) => label);
  return [...ellipsisLabels(operands), ...once.sort((a, b) => a - b)];
}
function ellipsisLabels(operands: readonly Operand[]): Label[] {
  const lowest = Math.min(0, ...operands.flatMap(({ labels }) => [...labels]));
  return Array.from({ length: -lowest }, (_, i) => lowest + i);
}

function explicitOutput(output: Subscripts, operands: readonly Operand[]): Label[] {
  const known = new Set(operands.flatMap(({ labels }) => [...labels]));
  const labels = output.flatMap((s) => (s === 'ellipsis' ? ellipsisLabels(operands) : [s]));
  for (const label of labels) {
    if (!known.has(label)) fail(ArgumentError, OP, 'output labels that an operand has', name(label));
    if (labels.indexOf(label) !== labels.lastIndexOf(label))
      fail(ArgumentError, OP, 'each output label once', `${name(label)} twice`);
  }
  return labels;
}

/**
 * Sums of products of operands' elements by Einstein's convention: `einsum('bij,bjk->bik', a, b)`. PyTorch's
 * `torch.einsum`.
 *
 * A label names a dimension; labels that the output does not have are summed over; a label twice in one operand takes
 * the diagonal;
 * `...` stands for dimensions that broadcast. Operands may come as one array. The other form gives labels as lists of
 * numbers:
 * `einsum(a, [0, 1], b, [1, 2], [0, 2])`, null for an ellipsis.
 *
 * Throws ArgumentError for an equation that cannot be read, ShapeError for sizes that differ.
 */
export function einsum(equation: string, ...operands: readonly (Tensor | readonly Tensor[])[]): Tensor;
export function einsum(
  operand: Tensor,
  labels: readonly (number | null | symbol)[],
  ...rest: readonly (Tensor | readonly (number | null | symbol)[])[]
): Tensor;
export function einsum(...args: readonly unknown[]): Tensor {
  return callComposed(contracted, args);
}

function contracted(...args: readonly unknown[]): Tensor {
  const [equation, ...rest] = args;
  let tensors: Tensor[];
  let inputs: Subscripts[];
  let output: Subscripts | null;
  if (typeof equation === 'string') {
    const given = rest.length === 1 && Array.isArray(rest[0]) ? (rest[0] as unknown[]) : rest;
    tensors = tensorArguments(OP, 'operand', given);
    if (tensors.length === 0) fail(ArgumentError, OP, 'at least one operand', 'none');
    ({ inputs, output } = parseEquation(equation, tensors.length));
  } else ({ tensors, inputs, output } = parseSublists(args));
  const all = tensors.map((tensor, i) => labelled(tensor, inputs[i]));
  checkSizes(all);
  const target = output === null ? implicitOutput(all, inputs) : explicitOutput(output, all);
  let result = all[0];
  if (all.length === 2 && comesFirst(all[1], all[0], target)) result = contract(all[1], all[0], new Set(target));
  else
    for (let i = 1; i < all.length; i++)
      result = contract(result, all[i], new Set([...target, ...all.slice(i + 1).flatMap(({ labels }) => [...labels])]));
  return ordered(summed(result, new Set(target)), target);
}
