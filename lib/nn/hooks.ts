/** The types of hooks as programs name them: of any module, unless they say which. */
import type { Module } from './module.js';
import type * as hooks from './module-hooks.js';

export type ForwardPreHook<M = Module> = hooks.ForwardPreHook<M>;
export type ForwardHook<M = Module> = hooks.ForwardHook<M>;
export type BackwardPreHook<M = Module> = hooks.BackwardPreHook<M>;
export type BackwardHook<M = Module> = hooks.BackwardHook<M>;
export type StateDictPreHook<M = Module> = hooks.StateDictPreHook<M>;
export type StateDictHook<M = Module> = hooks.StateDictHook<M>;
export type LoadStateDictPreHook<M = Module> = hooks.LoadStateDictPreHook<M>;
export type LoadStateDictPostHook<M = Module> = hooks.LoadStateDictPostHook<M>;
