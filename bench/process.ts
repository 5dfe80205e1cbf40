/**
 * What the benches start their processes with: an environment that both sides share, and our side as one file of plain
 * JavaScript.
 */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/**
 * This process's environment without the variables that pin an OpenBLAS kernel, and without PyTorch's warning that
 * NNPACK doesn't know a processor.
 */
export const env: NodeJS.ProcessEnv = { ...process.env, TORCH_CPP_LOG_LEVEL: 'ERROR' };
delete env.OPENBLAS_CORETYPE;
delete env.OPENBLAS_L2_SIZE;

/**
 * Bundles a file of bench/ into build/bench/NAME, from where the addon is found as from a clone's lib/native; returns
 * its path.
 */
export function bundled(file: string, name: string): string {
  const program = path.join(root, 'build', 'bench', name);
  execFileSync(process.execPath, [path.join(root, 'scripts', 'bundle.mjs'), path.join(root, 'bench', file), program]);
  return program;
}
