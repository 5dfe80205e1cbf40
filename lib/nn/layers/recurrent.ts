/**
 * Recurrent networks: stacks of layers in one or both directions (RNN, LSTM, GRU). Their single cells are in
 * recurrent-cells.ts.
 */

import { checkInteger } from '../../arguments.js';
import { ArgumentError, DTypeError, describe, fail, ShapeError } from '../../errors.js';
import { tensorArgument } from '../../ops/core/promotion.js';
import { reshape, squeeze, unsqueeze } from '../../ops/core/view.js';
import { indexSelect } from '../../ops/indexing/index-select.js';
import { dropout } from '../../ops/random/dropout.js';
import {
  GATES,
  type LayerWeights,
  type RecurrentMode,
  recurrentLayer,
  zeroState,
} from '../../ops/sequence/recurrent.js';
import { catOp, stackOp } from '../../ops/views/cat.js';
import { transpose } from '../../ops/views/permute.js';
import { narrow, select } from '../../ops/views/slice.js';
import { type Shape, sameShape } from '../../shape/layout.js';
import type { DType } from '../../storage/dtype.js';
import { requireParameterRoom } from '../../storage/room.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments, emptyParameter, type Factory } from '../arguments.js';
import { uniform_ } from '../init.js';
import { Module } from '../module.js';
import { PackedSequence, type Segment } from '../packed-sequence.js';
import type { Parameter } from '../parameter.js';
import { repr, reprFloat } from '../python-repr.js';

const LSTM_NAMES = [
  'inputSize',
  'hiddenSize',
  'numLayers',
  'bias',
  'batchFirst',
  'dropout',
  'bidirectional',
  'projSize',
  'device',
  'dtype',
] as const;
type LSTMArguments = [
  inputSize: number,
  hiddenSize: number,
  numLayers?: number,
  bias?: boolean,
  batchFirst?: boolean,
  dropout?: number,
  bidirectional?: boolean,
  projSize?: number,
  device?: string,
  dtype?: DType,
];
const BASE_NAMES = ['mode', ...LSTM_NAMES] as const;
type BaseArguments = [mode: RecurrentMode, ...LSTMArguments];

/** The kinds of parameters of one layer in one direction. */
type Member = 'weightIh' | 'weightHh' | 'biasIh' | 'biasHh' | 'weightHr';
const KEYS: Readonly<Record<Member, string>> = {
  weightIh: 'weight_ih',
  weightHh: 'weight_hh',
  biasIh: 'bias_ih',
  biasHh: 'bias_hh',
  weightHr: 'weight_hr',
};

/** The common part of RNN, LSTM and GRU: parameters, checks, and the walk over layers and directions. */
export class RNNBase extends Module {
  readonly mode: RecurrentMode;
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly numLayers: number;
  readonly bias: boolean;
  readonly batchFirst: boolean;
  readonly dropout: number;
  readonly bidirectional: boolean;
  readonly projSize: number;

  constructor(...args: ConstructorArguments<typeof BASE_NAMES, BaseArguments>) {
    super();
    const op = this.constructor.name;
    const settings = constructorArguments<typeof BASE_NAMES, BaseArguments>(op, BASE_NAMES, 3, args);
    const {
      mode,
      inputSize,
      hiddenSize,
      numLayers = 1,
      bias = true,
      batchFirst = false,
      dropout = 0,
      bidirectional = false,
      projSize = 0,
    } = settings;
    if (typeof mode !== 'string' || !Object.hasOwn(GATES, mode))
      fail(ArgumentError, op, `mode of ${Object.keys(GATES).join(', ')}`, describe(mode));
    this.mode = mode;
    this.inputSize = checkInteger(op, 'inputSize', inputSize, 1);
    this.hiddenSize = checkInteger(op, 'hiddenSize', hiddenSize, 1);
    this.numLayers = checkInteger(op, 'numLayers', numLayers, 1);
    if (typeof bias !== 'boolean') fail(ArgumentError, op, 'bias as true or false', describe(bias));
    if (typeof batchFirst !== 'boolean') fail(ArgumentError, op, 'batchFirst as true or false', describe(batchFirst));
    if (typeof dropout !== 'number' || !(dropout >= 0 && dropout <= 1))
      fail(ArgumentError, op, 'dropout from 0 to 1', describe(dropout));
    this.bias = bias;
    this.batchFirst = batchFirst;
    this.dropout = dropout;
    this.bidirectional = bidirectional;
    this.projSize = checkInteger(op, 'projSize', projSize);
    if (projSize >= hiddenSize) fail(ArgumentError, op, 'a projSize below hiddenSize', `${projSize} and ${hiddenSize}`);
    requireParameterRoom(op, numLayers * this.directions * (2 + (bias ? 2 : 0) + (projSize > 0 ? 1 : 0)));
    const rows = GATES[mode] * hiddenSize;
    for (let layer = 0; layer < numLayers; layer++) {
      for (let direction = 0; direction < this.directions; direction++) {
        const inputs = layer === 0 ? inputSize : this.features * this.directions;
        this.makeWeight(op, 'weightIh', layer, direction, [rows, inputs], settings);
        this.makeWeight(op, 'weightHh', layer, direction, [rows, this.features], settings);
        if (bias) {
          this.makeWeight(op, 'biasIh', layer, direction, [rows], settings);
          this.makeWeight(op, 'biasHh', layer, direction, [rows], settings);
        }
        if (projSize > 0) this.makeWeight(op, 'weightHr', layer, direction, [projSize, hiddenSize], settings);
      }
    }
    this.resetParameters();
  }
  get directions(): number {
    return this.bidirectional ? 2 : 1;
  }
  /** Features of an output in one direction. */
  get features(): number {
    return this.projSize > 0 ? this.projSize : this.hiddenSize;
  }
  private makeWeight(
    op: string,
    member: Member,
    layer: number,
    direction: number,
    shape: Shape,
    factory: Factory,
  ): void {
    this.registerParameter(propertyOf(member, layer, direction), emptyParameter(op, shape, factory));
  }
  /** The parameter weight_ih_l0 is the property weightIhL0, its reverse twin weightIhL0Reverse. */
  private weightOf(member: Member, layer: number, direction: number): Parameter | null {
    return (
      ((this as unknown as Record<string, Parameter | undefined>)[propertyOf(member, layer, direction)] as
        | Parameter
        | undefined) ?? null
    );
  }
  private weightsOf(layer: number, direction: number): LayerWeights {
    const weight = (member: Member): Parameter | null => this.weightOf(member, layer, direction);
    return {
      wIh: weight('weightIh') as Tensor,
      wHh: weight('weightHh') as Tensor,
      bIh: weight('biasIh'),
      bHh: weight('biasHh'),
      wHr: weight('weightHr'),
    };
  }
  override stateKey(property: string): string {
    const match = /^(weightIh|weightHh|biasIh|biasHh|weightHr)L(\d+)(Reverse)?$/.exec(property);
    return match === null
      ? super.stateKey(property)
      : `${KEYS[match[1] as Member]}_l${match[2]}${match[3] === undefined ? '' : '_reverse'}`;
  }
  /** Draws all parameters anew, uniform in ±1 / sqrt(hiddenSize). */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hiddenSize);
    for (const parameter of this.parameters()) uniform_(parameter, -bound, bound);
  }
  /** There for programs that call it; there is nothing to flatten. */
  flattenParameters(): void {}

  /** Output [T, N, D P] (or batch first, or unbatched) and the states after the last step. */
  protected run(input: Tensor, given: readonly (Tensor | null | undefined)[]): { output: Tensor; states: Tensor[] } {
    const op = this.constructor.name;
    const ndim = tensorArgument(op, 'input', input).shape.length;
    if (ndim !== 2 && ndim !== 3)
      fail(ShapeError, op, 'an input of 2 dimensions, or 3 with a batch', String(ndim), { input });
    if (input.shape[ndim - 1] !== this.inputSize)
      fail(ShapeError, op, `an input of ${this.inputSize} features`, String(input.shape[ndim - 1]), { input });
    if (!input.info.floating) fail(DTypeError, op, 'a floating input', input.dtype);
    const batched = ndim === 3;
    const sequence = !batched ? unsqueeze(input, 1) : this.batchFirst ? transpose(input, 0, 1) : input;
    const batch = sequence.shape[1];
    const count = this.numLayers * this.directions;
    const widths = this.mode === 'LSTM' ? [this.features, this.hiddenSize] : [this.features];
    const states = widths.map((width, i) => {
      const state = given[i];
      if (state === null || state === undefined) return zeroState([count, batch, width], input);
      tensorArgument(op, i === 0 ? 'h0' : 'c0', state);
      const expected = batched ? [count, batch, width] : [count, width];
      if (!sameShape(state.shape, expected))
        fail(ShapeError, op, `${i === 0 ? 'h0' : 'c0'} of shape [${expected}]`, `[${state.shape}]`, { input });
      return batched ? state : unsqueeze(state, 1);
    });
    const last: Tensor[][] = widths.map(() => []);
    let current = sequence;
    for (let layer = 0; layer < this.numLayers; layer++) {
      const outputs: Tensor[] = [];
      for (let direction = 0; direction < this.directions; direction++) {
        const [h0, c0] = states.map((state) => select(state, 0, layer * this.directions + direction));
        const { out, h, c } = recurrentLayer(
          op,
          this.mode,
          current,
          h0,
          c0,
          this.weightsOf(layer, direction),
          direction === 1,
        );
        outputs.push(out);
        last[0].push(h);
        if (c !== undefined) last[1].push(c);
      }
      current = outputs.length === 1 ? outputs[0] : catOp(outputs, 2);
      if (this.dropout > 0 && this.training && layer < this.numLayers - 1)
        current = dropout(current, this.dropout, true);
    }
    const output = !batched ? squeeze(current, 1) : this.batchFirst ? transpose(current, 0, 1) : current;
    return { output, states: last.map((list) => (batched ? stackOp(list, 0) : squeeze(stackOp(list, 0), 1))) };
  }
  /**
   * The same over packed sequences: each run of steps with one batch size is a sequence of its own, and states pass
   * from run to run.
   */
  protected runPacked(
    input: PackedSequence,
    given: readonly (Tensor | null | undefined)[],
  ): { output: PackedSequence; states: Tensor[] } {
    const op = this.constructor.name;
    const { data, sortedIndices, unsortedIndices } = input;
    if (data.shape.length !== 2 || data.shape[1] !== this.inputSize)
      fail(ShapeError, op, `packed data of shape [N, ${this.inputSize}]`, `[${data.shape}]`);
    const batch = input.batch;
    const count = this.numLayers * this.directions;
    const widths = this.mode === 'LSTM' ? [this.features, this.hiddenSize] : [this.features];
    const ordered = (x: Tensor, order: Tensor | null): Tensor => (order === null ? x : indexSelect(x, 1, order));
    const initial = widths.map((width, i) => {
      const state = given[i];
      if (state === null || state === undefined) return zeroState([count, batch, width], data);
      tensorArgument(op, i === 0 ? 'h0' : 'c0', state);
      if (!sameShape(state.shape, [count, batch, width]))
        fail(ShapeError, op, `${i === 0 ? 'h0' : 'c0'} of shape [${[count, batch, width]}]`, `[${state.shape}]`);
      return ordered(state, sortedIndices);
    });
    const segments = input.segments();
    const last: Tensor[][] = widths.map(() => []);
    let current = data;
    for (let layer = 0; layer < this.numLayers; layer++) {
      const outputs: Tensor[] = [];
      for (let direction = 0; direction < this.directions; direction++) {
        const index = layer * this.directions + direction;
        const walked = this.walkSegments(
          op,
          current,
          segments,
          initial.map((state) => select(state, 0, index)),
          layer,
          direction,
        );
        outputs.push(walked.out);
        walked.states.forEach((state, i) => {
          last[i].push(state);
        });
      }
      current = outputs.length === 1 ? outputs[0] : catOp(outputs, 1);
      if (this.dropout > 0 && this.training && layer < this.numLayers - 1)
        current = dropout(current, this.dropout, true);
    }
    const states = last.map((list) => ordered(stackOp(list, 0), unsortedIndices));
    return { output: new PackedSequence(current, input.batchSizes, sortedIndices, unsortedIndices), states };
  }
  /**
   * One layer in one direction over the runs: sequences that end leave their state behind, those that begin (backward)
   * bring theirs.
   */
  private walkSegments(
    op: string,
    data: Tensor,
    segments: readonly Segment[],
    first: readonly Tensor[],
    layer: number,
    direction: number,
  ): { out: Tensor; states: Tensor[] } {
    const reverse = direction === 1;
    const weights = this.weightsOf(layer, direction);
    const rows = (x: Tensor, from: number, to: number): Tensor => narrow(x, 0, from, to - from);
    const outputs = new Array<Tensor>(segments.length);
    const ended: Tensor[][] = first.map(() => []);
    let states: readonly Tensor[] = first;
    let before = reverse ? 0 : segments[0].batch;
    for (let k = 0; k < segments.length; k++) {
      const at = reverse ? segments.length - 1 - k : k;
      const { start, steps, batch } = segments[at];
      if (reverse)
        states = states.map((state, i) =>
          before === 0 ? rows(first[i], 0, batch) : catOp([state, rows(first[i], before, batch)], 0),
        );
      else if (batch < before) {
        states.forEach((state, i) => {
          ended[i].unshift(rows(state, batch, before));
        });
        states = states.map((state) => rows(state, 0, batch));
      }
      before = batch;
      const x = reshape(rows(data, start, start + steps * batch), [steps, batch, data.shape[1]]);
      const { out, h, c } = recurrentLayer(op, this.mode, x, states[0], states[1], weights, reverse);
      outputs[at] = reshape(out, [steps * batch, this.features]);
      states = c === undefined ? [h] : [h, c];
    }
    const whole = (parts: readonly Tensor[]): Tensor => (parts.length === 1 ? parts[0] : catOp(parts, 0));
    return { out: whole(outputs), states: states.map((state, i) => whole([state, ...ended[i]])) };
  }
  override extraRepr(): string {
    let text = `${repr(this.inputSize)}, ${repr(this.hiddenSize)}`;
    if (this.projSize !== 0) text += `, proj_size=${repr(this.projSize)}`;
    if (this.numLayers !== 1) text += `, num_layers=${repr(this.numLayers)}`;
    if (!this.bias) text += ', bias=False';
    if (this.batchFirst) text += ', batch_first=True';
    if (this.dropout !== 0) text += `, dropout=${reprFloat(this.dropout)}`;
    if (this.bidirectional) text += ', bidirectional=True';
    return text;
  }
}

function propertyOf(member: Member, layer: number, direction: number): string {
  return `${member}L${layer}${direction === 1 ? 'Reverse' : ''}`;
}

const RNN_NAMES = [
  'inputSize',
  'hiddenSize',
  'numLayers',
  'nonlinearity',
  'bias',
  'batchFirst',
  'dropout',
  'bidirectional',
  'device',
  'dtype',
] as const;
type RNNArguments = [
  inputSize: number,
  hiddenSize: number,
  numLayers?: number,
  nonlinearity?: 'tanh' | 'relu',
  bias?: boolean,
  batchFirst?: boolean,
  dropout?: number,
  bidirectional?: boolean,
  device?: string,
  dtype?: DType,
];

/** The mode of a plain RNN by its nonlinearity. */
export function modeOf(op: string, nonlinearity: string): RecurrentMode {
  if (nonlinearity === 'tanh') return 'RNN_TANH';
  if (nonlinearity === 'relu') return 'RNN_RELU';
  return fail(ArgumentError, op, "nonlinearity 'tanh' or 'relu'", describe(nonlinearity));
}

/**
 * The calls that an RNN takes; the merged class adds nothing to them. Those without a state are the same in all three,
 * so that `LSTM | nn.GRU` can be called.
 */
export interface RNN {
  (input: PackedSequence, hx?: null): [output: PackedSequence, h: Tensor];
  (input: Tensor, hx?: null): [output: Tensor, h: Tensor];
  (input: PackedSequence, hx?: Tensor | null): [output: PackedSequence, h: Tensor];
  (input: Tensor, hx?: Tensor | null): [output: Tensor, h: Tensor];
}
/**
 * h[t] = tanh(W_ih x[t] + b_ih + W_hh h[t-1] + b_hh), or relu, in `numLayers` layers (torch.nn.RNN). Input [T, N,
 * inputSize] (batch first with `batchFirst`, [T, inputSize] unbatched) and h0 [D L, N, hiddenSize] or zeros; returns
 * [output, hN].
 */
export class RNN extends RNNBase {
  readonly nonlinearity: 'tanh' | 'relu';
  constructor(...args: ConstructorArguments<typeof RNN_NAMES, RNNArguments>) {
    const { nonlinearity = 'tanh', ...settings } = constructorArguments<typeof RNN_NAMES, RNNArguments>(
      'RNN',
      RNN_NAMES,
      2,
      args,
    );
    super({ mode: modeOf('RNN', nonlinearity), ...settings });
    this.nonlinearity = nonlinearity;
  }
  override forward(input: PackedSequence, hx?: Tensor | null): [output: PackedSequence, h: Tensor];
  override forward(input: Tensor, hx?: Tensor | null): [output: Tensor, h: Tensor];
  override forward(input: Tensor | PackedSequence, hx?: Tensor | null): [output: Tensor | PackedSequence, h: Tensor] {
    const { output, states } = input instanceof PackedSequence ? this.runPacked(input, [hx]) : this.run(input, [hx]);
    return [output, states[0]];
  }
}

const GRU_NAMES = [
  'inputSize',
  'hiddenSize',
  'numLayers',
  'bias',
  'batchFirst',
  'dropout',
  'bidirectional',
  'device',
  'dtype',
] as const;
type GRUArguments = [
  inputSize: number,
  hiddenSize: number,
  numLayers?: number,
  bias?: boolean,
  batchFirst?: boolean,
  dropout?: number,
  bidirectional?: boolean,
  device?: string,
  dtype?: DType,
];

/**
 * The calls that a GRU takes; the merged class adds nothing to them. Those without a state are the same in all three,
 * so that `LSTM | nn.GRU` can be called.
 */
export interface GRU {
  (input: PackedSequence, hx?: null): [output: PackedSequence, h: Tensor];
  (input: Tensor, hx?: null): [output: Tensor, h: Tensor];
  (input: PackedSequence, hx?: Tensor | null): [output: PackedSequence, h: Tensor];
  (input: Tensor, hx?: Tensor | null): [output: Tensor, h: Tensor];
}
/**
 * r, z = sigmoid(...), n = tanh(x part + r (hidden part)), h = (1 - z) n + z h[t-1] (torch.nn.GRU; Cho et al. 2014).
 * Shapes as RNN's; returns [output, hN].
 */
export class GRU extends RNNBase {
  constructor(...args: ConstructorArguments<typeof GRU_NAMES, GRUArguments>) {
    super({ mode: 'GRU', ...constructorArguments<typeof GRU_NAMES, GRUArguments>('GRU', GRU_NAMES, 2, args) });
  }
  override forward(input: PackedSequence, hx?: Tensor | null): [output: PackedSequence, h: Tensor];
  override forward(input: Tensor, hx?: Tensor | null): [output: Tensor, h: Tensor];
  override forward(input: Tensor | PackedSequence, hx?: Tensor | null): [output: Tensor | PackedSequence, h: Tensor] {
    const { output, states } = input instanceof PackedSequence ? this.runPacked(input, [hx]) : this.run(input, [hx]);
    return [output, states[0]];
  }
}

type LSTMState = readonly [h0: Tensor, c0: Tensor];

/**
 * The calls that an LSTM takes; the merged class adds nothing to them. Those without a state are the same in all three,
 * so that `LSTM | nn.GRU` can be called.
 */
export interface LSTM {
  (input: PackedSequence, hx?: null): [output: PackedSequence, state: [h: Tensor, c: Tensor]];
  (input: Tensor, hx?: null): [output: Tensor, state: [h: Tensor, c: Tensor]];
  (input: PackedSequence, hx?: LSTMState | null): [output: PackedSequence, state: [h: Tensor, c: Tensor]];
  (input: Tensor, hx?: LSTMState | null): [output: Tensor, state: [h: Tensor, c: Tensor]];
}
/**
 * i, f, o = sigmoid(...), g = tanh(...), c = f c[t-1] + i g, h = o tanh(c), projected by W_hr where `projSize` is given
 * (torch.nn.LSTM; Hochreiter and Schmidhuber 1997). Takes the input and [h0, c0] or zeros; returns [output, [hN, cN]].
 */
export class LSTM extends RNNBase {
  constructor(...args: ConstructorArguments<typeof LSTM_NAMES, LSTMArguments>) {
    super({ mode: 'LSTM', ...constructorArguments<typeof LSTM_NAMES, LSTMArguments>('LSTM', LSTM_NAMES, 2, args) });
  }
  override forward(
    input: PackedSequence,
    hx?: LSTMState | null,
  ): [output: PackedSequence, state: [h: Tensor, c: Tensor]];
  override forward(input: Tensor, hx?: LSTMState | null): [output: Tensor, state: [h: Tensor, c: Tensor]];
  override forward(
    input: Tensor | PackedSequence,
    hx?: LSTMState | null,
  ): [output: Tensor | PackedSequence, state: [h: Tensor, c: Tensor]] {
    if (hx !== null && hx !== undefined && (!Array.isArray(hx) || hx.length !== 2))
      fail(ArgumentError, 'LSTM', '[h0, c0] as the state', describe(hx));
    const { output, states } =
      input instanceof PackedSequence ? this.runPacked(input, hx ?? []) : this.run(input, hx ?? []);
    return [output, [states[0], states[1]]];
  }
}
