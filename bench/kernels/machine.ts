/**
 * Compiles machine.cc with the system's compiler against the OpenBLAS that the addon links, and asks it what the
 * machine can do.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const source = path.join(root, 'bench', 'kernels', 'machine.cc');
const binary = path.join(root, 'build', 'bench', 'machine');

/** GF/s of products by their shape 'MxKxN'; `peak` in GF/s and `triad` in GB/s where they were asked for. */
export interface Machine {
  readonly core: string;
  readonly config: string;
  readonly [what: string]: number | string;
}

function openblasFlags(): string[] {
  try {
    return execFileSync('pkg-config', ['--cflags', '--libs', 'openblas'], { encoding: 'utf8' }).trim().split(/\s+/);
  } catch (error) {
    // Without pkg-config or its file the compiler's own paths must do.
    if ((error as NodeJS.ErrnoException).code === undefined && (error as { status?: number }).status === undefined)
      throw error;
    return ['-lopenblas'];
  }
}

function age(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function compiled(): string {
  if (age(binary) < age(source)) {
    mkdirSync(path.dirname(binary), { recursive: true });
    execFileSync(
      process.env.CXX ?? 'c++',
      ['-std=c++17', '-O3', '-march=native', source, '-o', binary, ...openblasFlags(), '-pthread'],
      { stdio: 'inherit' },
    );
  }
  return binary;
}

/** Runs the measurements named: 'peak', 'triad', or shapes of products. */
export function measureMachine(
  threads: number,
  seconds: number,
  what: readonly string[],
  env: NodeJS.ProcessEnv,
): Machine {
  return JSON.parse(
    execFileSync(compiled(), [String(threads), String(seconds), ...what], { encoding: 'utf8', env }),
  ) as Machine;
}
