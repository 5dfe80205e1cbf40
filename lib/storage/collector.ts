/**
 * Asks V8 for a collection, and learns which objects it took. Both work inside a synchronous loop, where
 * FinalizationRegistry and WeakRef tell nothing. It knows nothing of memory blocks.
 */
import vm from 'node:vm';
import { addon } from '../native/addon.js';
import { v8 } from '../native/builtin.js';

/** V8's own function: without options at all objects. */
type Gc = (options?: { type: 'minor'; execution: 'sync' }) => void;

export interface Collector {
  /** Of young objects only: a tenth of a millisecond, and as much again for each thousand that live. */
  minor(): void;
  /** Of all objects: some milliseconds. */
  major(): void;
}

/** Starts to watch an object; returns its place in the table of watched objects. */
export const watch: (object: object) => number = addon.lifetime.watch;
/** Ends the watch at a place. */
export const unwatch: (place: number) => void = addon.lifetime.unwatch;

const places = new Int32Array(1024);

/** Calls `found` with the place of every watched object that is gone; the place is free then. */
export function forEachCollected(found: (place: number) => void): void {
  for (;;) {
    const count = addon.lifetime.collected(places);
    for (let i = 0; i < count; i++) found(places[i]);
    if (count < places.length) return;
  }
}

let known: Collector | null | undefined;
let attempts = 0;
/** Another thread that does the same may take the flag away between its setting and its use. */
const ATTEMPTS = 8;

/** The collector of this thread; null where this runtime has none that can be asked. */
export function collector(): Collector | null {
  if (known === undefined) {
    known = findCollector() ?? undefined;
    if (known === undefined && ++attempts < ATTEMPTS) return null;
    known ??= null;
  }
  return known;
}

/** Takes another collector's place, or none (null); undefined looks for this runtime's again. For tests. */
export function setCollector(other: Collector | null | undefined): void {
  known = other;
}

/** The function is there without the flag --expose-gc as well: a context that is made while the flag is set has it. */
function findCollector(): Collector | null {
  const exposed = 'gc' in globalThis;
  if (!exposed) v8().setFlagsFromString('--expose-gc');
  let gc: unknown;
  try {
    gc = vm.runInNewContext('globalThis.gc');
  } finally {
    if (!exposed) v8().setFlagsFromString('--no-expose-gc');
  }
  if (typeof gc !== 'function') return null;
  const ask = gc as Gc;
  const found: Collector = { minor: () => ask({ type: 'minor', execution: 'sync' }), major: () => ask() };
  return noticesDeath(found) ? found : null;
}

/** Whether a dropped object is gone after a collection, and is noticed to be. */
function noticesDeath(by: Collector): boolean {
  const place = ((): number => watch({}))();
  by.minor();
  let noticed = false;
  forEachCollected((gone) => {
    noticed ||= gone === place;
  });
  if (!noticed) unwatch(place);
  return noticed;
}
