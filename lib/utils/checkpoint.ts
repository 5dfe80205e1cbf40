/**
 * Activation checkpointing: what the nodes of a function save is not held until backward but computed again there, by a
 * second run of the function. The graph is the plain one, so every way to ask for gradients works, second derivatives
 * and checkpoints within checkpoints too.
 */
import { autocast, getAutocastDtype, isAutocastEnabled } from '../amp/autocast.js';
import { checkBoolean, checkInteger, isOptions, readArguments } from '../arguments.js';
import { enableGrad } from '../autograd/grad-mode.js';
import { activeKeeper, type Keeper, type Recomputable, withKeeper } from '../autograd/node.js';
import { ArgumentError, AutogradError, describe, fail } from '../errors.js';
import { Sequential } from '../nn/containers.js';
import { defaultGenerator } from '../random/generator.js';
import type { DType } from '../storage/dtype.js';
import { count } from '../storage/scope.js';
import { Tensor } from '../tensor/tensor.js';

/** Options of `checkpoint`. */
export interface CheckpointOptions {
  /** Accepted as PyTorch's: both variants are the one of `false`, which can do all that the other can. */
  useReentrant?: boolean | null;
  /** Draw the same random numbers in the second run. Default true. */
  preserveRngState?: boolean;
  /** Compare shapes and types of the second run with the first's ('default'), or not ('none'). */
  determinismCheck?: 'default' | 'none';
  /** End the second run as soon as it has made what is needed. Default true. */
  earlyStop?: boolean;
}
const DEFAULTS = {
  useReentrant: null as boolean | null,
  preserveRngState: true,
  determinismCheck: 'default' as string,
  earlyStop: true,
};
type Settings = typeof DEFAULTS;

function readSettings(op: string, args: readonly unknown[]): Settings {
  const settings = readArguments(op, DEFAULTS, args, 0);
  if (settings.useReentrant !== null) checkBoolean(op, 'useReentrant', settings.useReentrant);
  checkBoolean(op, 'preserveRngState', settings.preserveRngState);
  checkBoolean(op, 'earlyStop', settings.earlyStop);
  if (!['default', 'none'].includes(settings.determinismCheck))
    fail(ArgumentError, op, "determinismCheck 'default' or 'none'", describe(settings.determinismCheck));
  return settings;
}

type Call = (...args: unknown[]) => unknown;
type Saved = readonly (Tensor | null)[];
/** What a node of the second run saved, and the versions at which it was right. */
interface Made {
  readonly tensors: Saved;
  readonly versions: readonly number[];
}

/** Ends a second run that has made all that is needed. */
class Enough extends Error {}

const formOf = (tensors: Saved): string =>
  tensors.map((t) => (t === null ? 'null' : `${t.dtype}[${t.shape}]`)).join(', ');

const versionsOf = (tensors: Saved): number[] => tensors.map((t) => t?.storage.version ?? 0);

/** The tensors, unless one was changed in place since a node saved it. */
function unchanged({ tensors, versions }: Made): Saved {
  versionsOf(tensors).forEach((version, i) => {
    if (version !== versions[i])
      fail(
        AutogradError,
        'checkpoint',
        `a tensor needed for a gradient at version ${versions[i]}`,
        `one that was changed in place, at version ${version}`,
      );
  });
  return tensors;
}

/**
 * One call of a function: the first run, of which it keeps the arguments, and the second, of which it has what nodes
 * saved.
 */
class Frame implements Keeper {
  /** What each node of the first run saved, as text. */
  private readonly forms: string[] = [];
  /** Which of them are not released yet. */
  private open = 0;
  private again: Made[] | null = null;
  private readonly state: Tensor | null;
  private readonly cast: { readonly enabled: boolean; readonly dtype: DType };
  /** Arguments that are tensors belong to the checkpoint around this one, which computes them again. */
  private readonly tensorPlaces: readonly number[];
  private readonly outside: Recomputable | null;

  constructor(
    private readonly fn: Call,
    private readonly args: unknown[],
    private readonly settings: Settings,
  ) {
    this.state = settings.preserveRngState ? defaultGenerator.getState() : null;
    this.cast = { enabled: isAutocastEnabled(), dtype: getAutocastDtype() };
    this.tensorPlaces = args.flatMap((arg, i) => (arg instanceof Tensor ? [i] : []));
    const outer = activeKeeper();
    this.outside =
      outer === null || this.tensorPlaces.length === 0
        ? null
        : outer.take(this.tensorPlaces.map((i) => args[i] as Tensor));
    if (this.outside !== null) this.args = args.map((arg) => (arg instanceof Tensor ? null : arg));
  }

  /** The first run. `args` are not those of the frame where the checkpoint around it has them. */
  run(args: readonly unknown[]): unknown {
    return withKeeper(this, () => this.fn(...args));
  }

  take(tensors: Saved): Recomputable {
    const slot = this.forms.length;
    this.forms.push(formOf(tensors));
    this.open++;
    const frame = this;
    return {
      tensors: () => unchanged((frame.again ?? frame.runAgain())[slot]),
      get present() {
        return frame.again?.[slot].tensors ?? null;
      },
      release() {
        if (--frame.open > 0) return;
        frame.again = null;
        frame.outside?.release();
      },
    };
  }

  private runAgain(): Made[] {
    const made: Made[] = [];
    const { forms, settings } = this;
    const collector: Keeper = {
      take(tensors) {
        made.push({ tensors, versions: versionsOf(tensors) });
        if (settings.earlyStop && made.length === forms.length) throw new Enough();
        return null;
      },
    };
    const args = [...this.args];
    this.outside?.tensors().forEach((tensor, k) => {
      args[this.tensorPlaces[k]] = tensor;
    });
    const before = this.state === null ? null : defaultGenerator.getState();
    // A rule's own memory goes back as it ends; what is made here stays.
    const counting = count(false);
    try {
      if (this.state !== null) defaultGenerator.setState(this.state);
      withKeeper(collector, () => autocast('cpu', this.cast, () => enableGrad(() => this.fn(...args))));
    } catch (error) {
      if (!(error instanceof Enough)) throw error;
    } finally {
      count(counting);
      if (before !== null) defaultGenerator.setState(before);
    }
    this.compare(made);
    this.again = made;
    return made;
  }

  private compare(made: readonly Made[]): void {
    const op = 'checkpoint';
    if (made.length !== this.forms.length)
      fail(
        AutogradError,
        op,
        `a second run that saves ${this.forms.length} times, as the first did`,
        String(made.length),
      );
    if (this.settings.determinismCheck === 'none') return;
    made.forEach(({ tensors }, i) => {
      const form = formOf(tensors);
      if (form !== this.forms[i])
        fail(AutogradError, op, `a second run that saves ${this.forms[i]} at place ${i}, as the first did`, form);
    });
  }
}

/** Whether the last argument is the options: a plain object that names one of them. */
function takesOptions(last: unknown): boolean {
  return isOptions(last) && Object.keys(last).some((key) => key in DEFAULTS);
}

/**
 * Calls `fn(...args)` and returns its value; what its operators save for backward is not kept but computed again there,
 * by a second call of `fn`. That takes a second forward pass and saves the memory of the activations. `fn` must do the
 * same both times, and be done when it returns. A trailing options object is the checkpoint's where it names one of its
 * options, else an argument. Throws AutogradError in backward where the second run saves other tensors than the first.
 * Source: torch.utils.checkpoint.checkpoint.
 */
export function checkpoint<A extends readonly unknown[], R>(
  fn: (...args: A) => R,
  ...args: [...A, options?: CheckpointOptions]
): R {
  const op = 'checkpoint';
  if (typeof fn !== 'function') fail(ArgumentError, op, 'a function', describe(fn));
  const all: readonly unknown[] = args;
  const last = all[all.length - 1];
  const settings = readSettings(op, takesOptions(last) ? [last] : []);
  const given = takesOptions(last) ? all.slice(0, -1) : [...all];
  const result = new Frame(fn as unknown as Call, given as unknown[], settings).run(given);
  if (result instanceof Promise)
    fail(ArgumentError, op, 'a function that is done when it returns', 'one that returns a promise');
  return result as R;
}

/** Options of `checkpointSequential`. */
export interface CheckpointSequentialOptions extends CheckpointOptions {}
type Layer = (input: Tensor) => Tensor;
interface SequentialArguments {
  functions: Sequential | Iterable<Layer>;
  segments: number;
  input: Tensor;
}

/**
 * Calls the functions of a list, or the layers of a Sequential, one after the other, in `segments` parts, each but the
 * last of which is a checkpoint. All arguments may come by name in one object. Source:
 * torch.utils.checkpoint.checkpoint_sequential.
 */
export function checkpointSequential(
  first: SequentialArguments['functions'] | (SequentialArguments & CheckpointSequentialOptions),
  ...args: [segments?: number, input?: Tensor, options?: CheckpointSequentialOptions]
): Tensor {
  const op = 'checkpointSequential';
  const defaults = {
    functions: undefined as unknown,
    segments: undefined as unknown as number,
    input: undefined as unknown,
    ...DEFAULTS,
  };
  const { functions, segments, input, ...rest } = readArguments(op, defaults, [first, ...args], 3);
  const settings = readSettings(op, [rest]);
  const isList = typeof functions === 'object' && functions !== null && Symbol.iterator in functions;
  if (!isList && !(functions instanceof Sequential))
    fail(ArgumentError, op, 'a Sequential or a list of functions', describe(functions));
  const layers: unknown[] =
    functions instanceof Sequential ? functions.children() : [...(functions as Iterable<unknown>)];
  for (const layer of layers) if (typeof layer !== 'function') fail(ArgumentError, op, 'functions', describe(layer));
  checkInteger(op, 'segments', segments, 1);
  if (segments > layers.length)
    fail(ArgumentError, op, `at most ${layers.length} segments, one a function`, String(segments));
  if (!(input instanceof Tensor)) fail(ArgumentError, op, 'a tensor as input', describe(input));
  const size = Math.floor(layers.length / segments);
  const run =
    (part: readonly unknown[]) =>
    (x: Tensor): Tensor =>
      (part as readonly Layer[]).reduce((value, layer) => layer(value), x);
  let x = input;
  for (let k = 0; k < segments - 1; k++)
    x = checkpoint<[Tensor], Tensor>(run(layers.slice(k * size, (k + 1) * size)), x, settings as CheckpointOptions);
  return run(layers.slice((segments - 1) * size))(x);
}
