/**
 * The process that makes the calls of a seed (see serve.ts). It changes nothing but the empty directory that it is
 * started in.
 */
import { serve } from './serve.js';

const { judge, listen } = await import('./judge.js');
listen();
await serve(judge);
