/**
 * Makes one call and says what was wrong with it: an error that is not typed, a change that an error left behind,
 * memory written to beside a buffer, a setting that the call left changed, a promise that failed unheard, time or
 * memory without bound. Values are not judged.
 */
import { readdirSync, rmSync } from 'node:fs';
import {
  autograd,
  getDefaultDtype,
  isAutocastEnabled,
  isGradEnabled,
  manualSeed,
  NodegradError,
  noGrad,
  setDefaultDtype,
  setGradEnabled,
  setNumThreads,
  setPrintoptions,
  Tensor,
} from '../../lib/index.js';
import { damagedZones, setGuardZones, setPoison } from '../../lib/storage/guard.js';
import { Choices } from './random.js';
import { type Call, drawCall } from './targets.js';
import { CallbackError } from './values.js';

/** What is wrong with a call. */
export interface Finding {
  readonly kind: string;
  readonly name: string;
  readonly text: string;
  readonly detail: string;
  /** Where it happened, which tells findings of one cause together. */
  readonly at: string;
}

/** Seconds of processor time that a call may take. */
const SLOW = 8;
const MEMORY = 3 * 2 ** 30;
const BIG = 20_000;

const unheard: unknown[] = [];

/** From here on failures that nobody catches are laid to the call that is being made. */
export function listen(): void {
  process.on('unhandledRejection', (reason) => unheard.push(reason));
  process.on('uncaughtException', (error) => unheard.push(error));
}

function isAllowed(error: unknown): boolean {
  // A class that was given as a callback, or an iterable that cannot be iterated: what JavaScript says of them is their
  // own failure.
  if (
    error instanceof TypeError &&
    /^Class constructor \w* cannot be invoked without 'new'$|^Cannot perform %TypedArray%.prototype.values on a detached ArrayBuffer$/.test(
      error.message,
    )
  )
    return true;
  for (let e = error; e instanceof Error; e = e.cause)
    if (e instanceof NodegradError || e instanceof CallbackError) return true;
  return false;
}

function whereOf(error: unknown): string {
  const frames = (error instanceof Error ? (error.stack ?? '') : '')
    .split('\n')
    .filter((line) => /\/(lib|test)\/[^ ]*\.ts/.test(line));
  return frames
    .slice(0, 4)
    .map((line) => line.replace(/^\s*at /, '').replace(/\(?(file:\/\/)?\/[^ ]*\/((?:lib|test)\/)/, '($2'))
    .join(' < ');
}

interface Before {
  readonly version: number;
  readonly bytes: Uint8Array;
}

function bytesOf(t: Tensor): Uint8Array {
  return new Uint8Array(t.storage.buffer, t.storage.byteOffset, t.storage.byteLength).slice();
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

const settings = (): string =>
  JSON.stringify({
    grad: isGradEnabled(),
    autocast: isAutocastEnabled(),
    dtype: getDefaultDtype(),
    anomaly: autograd.isAnomalyEnabled(),
  });

function reset(seed: number): void {
  setDefaultDtype('float32');
  setGradEnabled(true);
  setNumThreads(2);
  setPrintoptions({ profile: 'default' });
  autograd.setDetectAnomaly(false);
  manualSeed(seed);
  for (const file of readdirSync('.')) rmSync(file, { recursive: true });
}

/** Looks at everything that came out: values, text, a few items of what can be iterated, and gradients. */
async function use(c: Choices, value: unknown, depth = 0): Promise<void> {
  if (value instanceof Tensor) {
    if (value.numel() > BIG) return;
    value.toTypedArray();
    if (c.chance(0.1)) String(value);
    if (value.requiresGrad && c.chance(0.7)) value.backward(noGrad(() => value.detach().clone().fill_(1)));
    return;
  }
  if (typeof value !== 'object' || value === null || depth > 2) return;
  if (Array.isArray(value)) {
    for (const item of value.slice(0, 5)) await use(c, item, depth + 1);
    return;
  }
  if (ArrayBuffer.isView(value)) return;
  if (Symbol.asyncIterator in value || Symbol.iterator in value) {
    let count = 0;
    for await (const item of value as AsyncIterable<unknown>) {
      await use(c, item, depth + 1);
      if (++count === 5) break;
    }
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** How memory is handed out during a call. */
export type Mode = 'plain' | 'guarded' | 'poisoned';
const MODES: readonly Mode[] = ['plain', 'guarded', 'poisoned'];

/** Makes the call of a seed and number; null where nothing is wrong. `tell` hears what is called before it is. */
export async function judge(seed: number, number: number, tell?: (text: string) => void): Promise<Finding | null> {
  const c = new Choices(seed, number);
  reset(number);
  const mode = c.pick(MODES);
  let call: Call;
  try {
    call = drawCall(c);
  } catch (error) {
    return {
      kind: 'the fuzzer failed',
      name: 'fuzzer',
      text: '',
      detail: error instanceof Error ? (error.stack ?? '') : String(error),
      at: whereOf(error),
    };
  }
  tell?.(call.text);
  return judgeCall(c, call, mode);
}

/** What is wrong with one call, or null. */
export async function judgeCall(c: Choices, call: Call, mode: Mode): Promise<Finding | null> {
  const { name, text } = call;
  const before = new Map<Tensor, Before>(call.tensors.map((t) => [t, { version: t.version, bytes: bytesOf(t) }]));
  const set = settings();
  const found = (kind: string, detail: string, at: string): Finding => ({ kind, name, text, detail, at });
  const start = process.cpuUsage();
  if (mode === 'guarded') setGuardZones(64);
  if (mode === 'poisoned') setPoison(true);
  let error: unknown;
  let failed = false;
  let used = false;
  try {
    const result = await call.run();
    used = true;
    await use(c, result);
  } catch (caught) {
    failed = true;
    error = caught;
  }
  await turn();
  setPoison(false);
  const damage = mode === 'guarded' ? damagedZones() : [];
  setGuardZones(0);
  const spent = process.cpuUsage(start);
  if (damage.length > 0) return found('memory beside a buffer was written to', damage.join('; '), name);
  if (failed && !isAllowed(error)) {
    const what = error instanceof Error ? `${error.name}: ${error.message}` : `thrown: ${typeof error}`;
    return found('an error that is not typed', `${what}\n    ${whereOf(error)}`, whereOf(error) || `${name} ${what}`);
  }
  const silent = unheard.splice(0).find((reason) => !isAllowed(reason));
  if (silent !== undefined)
    return found('a failure that nobody hears', `${String(silent)}\n    ${whereOf(silent)}`, whereOf(silent) || name);
  if (settings() !== set && !/set|seed/i.test(name))
    return found('a setting was left changed', `${set} became ${settings()}`, name);
  if (failed && !used && error instanceof NodegradError) {
    for (const [t, { version, bytes }] of before) {
      if (t.version !== version || !same(bytesOf(t), bytes))
        return found('an error left a tensor changed', `${error.name}: ${error.message}`, name);
    }
  }
  const seconds = (spent.user + spent.system) / 1e6;
  if (seconds > SLOW) return found('slow', `${seconds.toFixed(1)} s of processor time`, name);
  if (process.memoryUsage().rss > MEMORY)
    return found('memory', `${(process.memoryUsage().rss / 2 ** 30).toFixed(1)} GiB`, name);
  return null;
}
