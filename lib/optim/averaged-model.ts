/**
 * A model whose weights are averages of another's over a training run, and the functions that average them. It knows no
 * schedule.
 */

import { type Arguments, checkBoolean, checkFunction, checkNumber, readArguments } from '../arguments.js';
import { noGrad } from '../autograd/grad-mode.js';
import { ArgumentError, describe, fail, ShapeError } from '../errors.js';
import { deepcopy } from '../nn/deepcopy.js';
import { BatchNorm } from '../nn/layers/norm.js';
import { Module } from '../nn/module.js';
import { zeros } from '../ops/creation/factories.js';
import { sameShape } from '../shape/layout.js';
import { checkDevice } from '../tensor/device.js';
import { Tensor } from '../tensor/tensor.js';

/** The next average of one tensor: of the average so far, the model's value, and the count of models in the average. */
export type AvgFn = (averaged: Tensor, current: Tensor, numAveraged: Tensor) => Tensor;
/** Moves averages to the next, in place; all tensors of a call have one dtype. */
export type MultiAvgFn = (averaged: Tensor[], current: Tensor[], numAveraged: Tensor) => void;

export interface AveragedModelOptions {
  /** Only 'cpu'. */
  device?: string | null;
  /** How one tensor is averaged; default: with equal weights. */
  avgFn?: AvgFn | null;
  /** How all tensors of a dtype are averaged, in place of `avgFn`. */
  multiAvgFn?: MultiAvgFn | null;
  /** Average buffers too, instead of copying the model's last ones. Default false. */
  useBuffers?: boolean;
}

function readDecay(op: string, args: readonly unknown[]): number {
  const { decay } = readArguments(op, { decay: 0.999 }, args);
  checkNumber(op, 'decay', decay);
  if (decay < 0 || decay > 1) fail(ArgumentError, op, 'decay in [0, 1]', String(decay));
  return decay;
}
type DecayArguments = Arguments<[decay?: number], { decay?: number }>;

/**
 * `average = decay average + (1 - decay) current`, decay 0.999 by default. Source:
 * torch.optim.swa_utils.get_ema_avg_fn.
 */
export function getEmaAvgFn(...args: DecayArguments): AvgFn {
  const decay = readDecay('getEmaAvgFn', args);
  return (averaged, current) => noGrad(() => averaged.mul(decay).add(current.mul(1 - decay)));
}
/** The same of all tensors of a dtype at once. Source: torch.optim.swa_utils.get_ema_multi_avg_fn. */
export function getEmaMultiAvgFn(...args: DecayArguments): MultiAvgFn {
  const decay = readDecay('getEmaMultiAvgFn', args);
  return (averaged, current) =>
    noGrad(() => {
      averaged.forEach((average, i) => {
        if (average.info.floating) average.lerp_(current[i], 1 - decay);
        else average.copy_(average.mul(decay).add(current[i].mul(1 - decay)));
      });
    });
}
/**
 * `average = average + (current - average) / (numAveraged + 1)`: equal weights. Source:
 * torch.optim.swa_utils.get_swa_avg_fn.
 */
export function getSwaAvgFn(): AvgFn {
  return (averaged, current, numAveraged) => noGrad(() => averaged.add(current.sub(averaged).div(numAveraged.add(1))));
}
/** The same of all tensors of a dtype at once. Source: torch.optim.swa_utils.get_swa_multi_avg_fn. */
export function getSwaMultiAvgFn(): MultiAvgFn {
  const one = getSwaAvgFn();
  return (averaged, current, numAveraged) =>
    noGrad(() => {
      averaged.forEach((average, i) => {
        // A weight that PyTorch has as a tensor of float32.
        if (average.info.floating) average.lerp_(current[i], Math.fround(1 / (Number(numAveraged.item()) + 1)));
        else average.copy_(one(average, current[i], numAveraged));
      });
    });
}

/**
 * A copy of `model` whose weights become averages: `updateParameters(model)` takes the model's present weights into
 * them, the first time by copying. It is called as the model is; state dicts have the copy's keys under `module.`, and
 * `n_averaged`. Throws ArgumentError where avgFn and multiAvgFn are both given. Source:
 * torch.optim.swa_utils.AveragedModel.
 */
export class AveragedModel<M extends Module = Module> extends Module {
  static override readonly stateNames = { nAveraged: 'n_averaged' };
  /** The averaged copy. */
  readonly module: M;
  /** How many models are in the average, an int64 tensor of no dimension. */
  declare nAveraged: Tensor;
  readonly avgFn: AvgFn | null;
  readonly multiAvgFn: MultiAvgFn | null;
  readonly useBuffers: boolean;

  constructor(
    model: M | ({ model: M } & AveragedModelOptions),
    ...args: Arguments<
      [device?: string | null, avgFn?: AvgFn | null, multiAvgFn?: MultiAvgFn | null, useBuffers?: boolean],
      AveragedModelOptions
    >
  ) {
    super();
    const op = 'AveragedModel';
    const defaults = {
      model: undefined as unknown,
      device: null as string | null,
      avgFn: null as AvgFn | null,
      multiAvgFn: null as MultiAvgFn | null,
      useBuffers: false,
    };
    const given = readArguments(op, defaults, [model, ...args]);
    const { avgFn, multiAvgFn, device } = given;
    if (!(given.model instanceof Module)) fail(ArgumentError, op, 'a module', describe(given.model));
    if (device !== null) checkDevice(op, device);
    if (avgFn !== null) checkFunction(op, 'a function as avgFn', avgFn);
    if (multiAvgFn !== null) checkFunction(op, 'a function as multiAvgFn', multiAvgFn);
    if (avgFn !== null && multiAvgFn !== null) fail(ArgumentError, op, 'either avgFn or multiAvgFn', 'both');
    checkBoolean(op, 'useBuffers', given.useBuffers);
    this.module = deepcopy(given.model) as M;
    this.registerBuffer('nAveraged', zeros([], { dtype: 'int64' }));
    this.avgFn = avgFn;
    this.multiAvgFn = multiAvgFn;
    this.useBuffers = given.useBuffers;
  }

  override forward(...args: Parameters<M['forward']>): ReturnType<M['forward']> {
    return (this.module as unknown as (...args: unknown[]) => ReturnType<M['forward']>)(...args);
  }

  /** Takes the weights of `model`, which is of the copied model's form, into the averages. */
  updateParameters(model: Module): void {
    const op = 'AveragedModel.updateParameters';
    if (!(model instanceof Module)) fail(ArgumentError, op, 'a module', describe(model));
    const tensorsOf = (module: Module): Tensor[] => [
      ...module.parameters(),
      ...(this.useBuffers ? module.buffers() : []),
    ];
    const averages = tensorsOf(this.module);
    const currents = tensorsOf(model);
    const [ownBuffers, buffers] = [this.module.buffers(), model.buffers()];
    if (averages.length !== currents.length || ownBuffers.length !== buffers.length)
      fail(ArgumentError, op, `a module with ${averages.length} parameters and buffers`, String(currents.length));
    averages.forEach((average, i) => {
      if (!sameShape(average.shape, currents[i].shape))
        fail(ShapeError, op, `a tensor of shape [${average.shape}] at place ${i}`, `[${currents[i].shape}]`);
    });
    noGrad(() => {
      const begun = Number(this.nAveraged.item()) > 0;
      if (begun)
        this.average(
          averages.map((t) => t.detach()),
          currents.map((t) => t.detach()),
        );
      else for (let i = 0; i < averages.length; i++) averages[i].copy_(currents[i]);
      if (!this.useBuffers) for (let i = 0; i < buffers.length; i++) ownBuffers[i].copy_(buffers[i]);
      this.nAveraged.add_(1);
    });
  }

  private average(averages: Tensor[], currents: Tensor[]): void {
    const { nAveraged, multiAvgFn } = this;
    if (multiAvgFn !== null) {
      for (const dtype of new Set(averages.map((t) => t.dtype))) {
        const ofDtype = (_: unknown, i: number): boolean => averages[i].dtype === dtype;
        multiAvgFn(averages.filter(ofDtype), currents.filter(ofDtype), nAveraged);
      }
      return;
    }
    const avgFn = this.avgFn ?? getSwaAvgFn();
    averages.forEach((average, i) => {
      const next: unknown = avgFn(average, currents[i], nAveraged);
      if (!(next instanceof Tensor))
        fail(ArgumentError, 'AveragedModel.updateParameters', 'a tensor from avgFn', describe(next));
      average.copy_(next);
    });
  }
}

interface UpdateBnOptions {
  /** Only 'cpu'. */
  device?: string | null;
}
type Batches = Iterable<unknown> | AsyncIterable<unknown>;

/**
 * Computes the running statistics of every batch norm in `model` anew, in one pass over the batches of `loader`:
 * tensors, or lists whose first item is the model's input. Nothing is done where there is no batch norm. Source:
 * torch.optim.swa_utils.update_bn.
 */
export async function updateBn(
  loader: Batches | ({ loader: Batches; model: Module } & UpdateBnOptions),
  ...args: Arguments<[model?: Module, device?: string | null], { model?: Module } & UpdateBnOptions>
): Promise<void> {
  const op = 'updateBn';
  const given = readArguments(
    op,
    { loader: undefined as unknown, model: undefined as unknown, device: null as string | null },
    [loader, ...args],
  );
  const { loader: batches, model, device } = given;
  if (
    typeof batches !== 'object' ||
    batches === null ||
    !(Symbol.asyncIterator in batches || Symbol.iterator in batches)
  )
    fail(ArgumentError, op, 'an iterable of batches', describe(batches));
  if (!(model instanceof Module)) fail(ArgumentError, op, 'a module', describe(model));
  if (device !== null) checkDevice(op, device);
  const norms = model.modules().filter((module) => module instanceof BatchNorm);
  if (norms.length === 0) return;
  const momenta = norms.map((norm) => norm.momentum);
  const { training } = model;
  model.train();
  for (const norm of norms) {
    norm.resetRunningStats();
    norm.momentum = null;
  }
  try {
    await noGrad(async () => {
      for await (const batch of batches as Batches) {
        const input: unknown = Array.isArray(batch) ? batch[0] : batch;
        (model as unknown as (input: unknown) => unknown)(input);
      }
    });
  } finally {
    norms.forEach((norm, i) => {
      norm.momentum = momenta[i];
    });
    model.train(training);
  }
}
