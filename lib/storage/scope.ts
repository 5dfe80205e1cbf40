/**
 * Which of the pool's memory a stretch of code takes: the engine opens a scope around a derivative rule that keeps nothing, and hands back at once
 * what the rule took and did not return.
 */
import type { Storage } from './storage.js';

let open: Storage[] | null = null;

/** Notes a storage on lent memory in the scope that is open, if there is one. */
export function noteLent(storage: Storage): void {
  if (open !== null) open.push(storage);
}

/** Opens a scope, or shuts the outer one out where `counted` is false. Returns the outer scope, for `leaveScope`. */
export function enterScope(counted: boolean): Storage[] | null {
  const outer = open;
  open = counted ? [] : null;
  return outer;
}

/** Ends the scope: what was taken in it, or null where it was not counted. */
export function leaveScope(outer: Storage[] | null): Storage[] | null {
  const taken = open;
  open = outer;
  return taken;
}
