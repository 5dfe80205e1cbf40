/** Single steps of recurrent networks: RNNCell, LSTMCell, GRUCell, over the operator that runs whole sequences. */

import { checkInteger } from '../../arguments.js';
import { ArgumentError, DTypeError, describe, fail, ShapeError } from '../../errors.js';
import { tensorArgument } from '../../ops/core/promotion.js';
import { squeeze, unsqueeze } from '../../ops/core/view.js';
import { type RecurrentMode, recurrentLayer, zeroState } from '../../ops/sequence/recurrent.js';
import type { DType } from '../../storage/dtype.js';
import type { Tensor } from '../../tensor/tensor.js';
import { type ConstructorArguments, constructorArguments, emptyParameter } from '../arguments.js';
import { uniform_ } from '../init.js';
import { Module } from '../module.js';
import type { Parameter } from '../parameter.js';
import { repr, reprWord } from '../python-repr.js';
import { modeOf } from './recurrent.js';

const BASE_NAMES = ['inputSize', 'hiddenSize', 'bias', 'numChunks', 'device', 'dtype'] as const;
type BaseArguments = [
  inputSize: number,
  hiddenSize: number,
  bias: boolean,
  numChunks: number,
  device?: string,
  dtype?: DType,
];

/** The common part of the cells: one step, of a batch [N, inputSize] or without one. */
export class RNNCellBase extends Module {
  static override readonly stateNames = {
    weightIh: 'weight_ih',
    weightHh: 'weight_hh',
    biasIh: 'bias_ih',
    biasHh: 'bias_hh',
  };
  readonly inputSize: number;
  readonly hiddenSize: number;
  readonly bias: boolean;
  declare weightIh: Parameter;
  declare weightHh: Parameter;
  declare biasIh: Parameter | null;
  declare biasHh: Parameter | null;

  /**
   * @param args the sizes, whether there are biases, and numChunks: the gates, of which each has `hiddenSize` rows in
   * the weights.
   */
  constructor(...args: ConstructorArguments<typeof BASE_NAMES, BaseArguments>) {
    super();
    const op = this.constructor.name;
    const { inputSize, hiddenSize, bias, numChunks, ...factory } = constructorArguments<
      typeof BASE_NAMES,
      BaseArguments
    >(op, BASE_NAMES, 4, args);
    const gates = checkInteger(op, 'numChunks', numChunks, 1);
    this.inputSize = checkInteger(op, 'inputSize', inputSize);
    this.hiddenSize = checkInteger(op, 'hiddenSize', hiddenSize, 1);
    if (typeof bias !== 'boolean') fail(ArgumentError, op, 'bias as true or false', describe(bias));
    this.bias = bias;
    this.weightIh = emptyParameter(op, [gates * hiddenSize, inputSize], factory);
    this.weightHh = emptyParameter(op, [gates * hiddenSize, hiddenSize], factory);
    this.registerParameter('biasIh', bias ? emptyParameter(op, [gates * hiddenSize], factory) : null);
    this.registerParameter('biasHh', bias ? emptyParameter(op, [gates * hiddenSize], factory) : null);
    this.resetParameters();
  }
  /** Draws all parameters anew, uniform in ±1 / sqrt(hiddenSize). */
  resetParameters(): void {
    const bound = 1 / Math.sqrt(this.hiddenSize);
    for (const parameter of this.parameters()) uniform_(parameter, -bound, bound);
  }
  protected step(mode: RecurrentMode, input: Tensor, given: readonly (Tensor | null | undefined)[]): Tensor[] {
    const op = this.constructor.name;
    const ndim = tensorArgument(op, 'input', input).shape.length;
    if (!input.info.floating) fail(DTypeError, op, 'a floating input', input.dtype);
    if (ndim !== 1 && ndim !== 2)
      fail(ShapeError, op, 'an input of 1 dimension, or 2 with a batch', String(ndim), { input });
    if (input.shape[ndim - 1] !== this.inputSize)
      fail(ShapeError, op, `an input of ${this.inputSize} features`, String(input.shape[ndim - 1]), { input });
    const x = ndim === 1 ? unsqueeze(input, 0) : input;
    const [h0, c0] = Array.from({ length: mode === 'LSTM' ? 2 : 1 }, (_, i) => {
      const state = given[i];
      if (state === null || state === undefined) return zeroState([x.shape[0], this.hiddenSize], input);
      tensorArgument(op, i === 0 ? 'h' : 'c', state);
      if (state.shape.length !== ndim)
        fail(ShapeError, op, `a state of ${ndim} dimensions`, String(state.shape.length), { input, state });
      return ndim === 1 ? unsqueeze(state, 0) : state;
    });
    const { h, c } = recurrentLayer(op, mode, unsqueeze(x, 0), h0, c0, {
      wIh: this.weightIh,
      wHh: this.weightHh,
      bIh: this.biasIh,
      bHh: this.biasHh,
    });
    const states = c === undefined ? [h] : [h, c];
    return ndim === 1 ? states.map((state) => squeeze(state, 0)) : states;
  }
  override extraRepr(): string {
    return `${repr(this.inputSize)}, ${repr(this.hiddenSize)}${this.bias ? '' : `, bias=${repr(this.bias)}`}`;
  }
}

const CELL_NAMES = ['inputSize', 'hiddenSize', 'bias', 'device', 'dtype'] as const;
type CellArguments = [inputSize: number, hiddenSize: number, bias?: boolean, device?: string, dtype?: DType];
const RNN_CELL_NAMES = ['inputSize', 'hiddenSize', 'bias', 'nonlinearity', 'device', 'dtype'] as const;
type RNNCellArguments = [
  inputSize: number,
  hiddenSize: number,
  bias?: boolean,
  nonlinearity?: 'tanh' | 'relu',
  device?: string,
  dtype?: DType,
];

/** One step of an RNN: [N, inputSize] and h [N, hiddenSize] or zeros to h' (torch.nn.RNNCell). */
export class RNNCell extends RNNCellBase {
  readonly nonlinearity: 'tanh' | 'relu';
  constructor(...args: ConstructorArguments<typeof RNN_CELL_NAMES, RNNCellArguments>) {
    const {
      inputSize,
      hiddenSize,
      bias = true,
      nonlinearity = 'tanh',
      ...factory
    } = constructorArguments<typeof RNN_CELL_NAMES, RNNCellArguments>('RNNCell', RNN_CELL_NAMES, 2, args);
    super(inputSize, hiddenSize, bias, 1, factory);
    modeOf('RNNCell', nonlinearity);
    this.nonlinearity = nonlinearity;
  }
  override forward(input: Tensor, hx?: Tensor | null): Tensor {
    return this.step(modeOf('RNNCell', this.nonlinearity), input, [hx])[0];
  }
  override extraRepr(): string {
    return `${super.extraRepr()}${this.nonlinearity === 'tanh' ? '' : `, nonlinearity=${reprWord(this.nonlinearity)}`}`;
  }
}

/** One step of a GRU (torch.nn.GRUCell). */
export class GRUCell extends RNNCellBase {
  constructor(...args: ConstructorArguments<typeof CELL_NAMES, CellArguments>) {
    const {
      inputSize,
      hiddenSize,
      bias = true,
      ...factory
    } = constructorArguments<typeof CELL_NAMES, CellArguments>('GRUCell', CELL_NAMES, 2, args);
    super(inputSize, hiddenSize, bias, 3, factory);
  }
  override forward(input: Tensor, hx?: Tensor | null): Tensor {
    return this.step('GRU', input, [hx])[0];
  }
}

/** One step of an LSTM: the input and [h, c] or zeros to [h', c'] (torch.nn.LSTMCell). */
export class LSTMCell extends RNNCellBase {
  constructor(...args: ConstructorArguments<typeof CELL_NAMES, CellArguments>) {
    const {
      inputSize,
      hiddenSize,
      bias = true,
      ...factory
    } = constructorArguments<typeof CELL_NAMES, CellArguments>('LSTMCell', CELL_NAMES, 2, args);
    super(inputSize, hiddenSize, bias, 4, factory);
  }
  override forward(input: Tensor, hx?: readonly [h: Tensor, c: Tensor] | null): [h: Tensor, c: Tensor] {
    if (hx !== null && hx !== undefined && (!Array.isArray(hx) || hx.length !== 2))
      fail(ArgumentError, 'LSTMCell', '[h, c] as the state', describe(hx));
    const [h, c] = this.step('LSTM', input, hx ?? []);
    return [h, c];
  }
}
