/**
 * Which of the pool's memory a stretch of code takes: the engine opens a scope around a derivative rule that keeps
 * nothing, and hands back at once what the rule took and did not return.
 */
import type { Storage } from './storage.js';

/** What was taken in all open scopes, the innermost scope's last. */
const taken: Storage[] = [];
let counting = false;

/** Notes a storage on lent memory in the scope that is open, if there is one. */
export function noteLent(storage: Storage): void {
  if (counting) taken.push(storage);
}

/** How much was taken so far: where a scope that opens now begins. */
export function scopeStart(): number {
  return taken.length;
}

/** Counts from now on what is taken, or does not. Returns what was done before. */
export function count(on: boolean): boolean {
  const before = counting;
  counting = on;
  return before;
}

/** Ends the scope that began at `start`: what was taken in it. */
export function takenSince(start: number): readonly Storage[] {
  return taken.length === start ? NOTHING : taken.splice(start);
}

const NOTHING: readonly Storage[] = [];
