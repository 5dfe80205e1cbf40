/** The addon built with AddressSanitizer and UBSan, and what a process needs to load it. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

/**
 * Builds the addon with the sanitizers and returns the environment of a process that loads it. `level` is the one SIMD
 * level to build beside scalar, which shortens the build; without it, all are built. The leak check is off, since V8
 * frees nothing at exit.
 */
export function buildSanitized(level?: string): Record<string, string> {
  const build = ['scripts/build-addon.mjs', '--sanitize', ...(level === undefined ? [] : ['--level', level])];
  execFileSync(process.execPath, build, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] });
  const library = (name: string): string =>
    execFileSync(process.env.CXX ?? 'g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
  const folder = level === undefined ? 'build-asan' : `build-asan-${level}`;
  return {
    NODEGRAD_ADDON: path.join(root, folder, 'Release', 'nodegrad.node'),
    LD_PRELOAD: `${library('libasan.so')} ${library('libubsan.so')}`,
    ASAN_OPTIONS: 'detect_leaks=0:abort_on_error=1:allocator_may_return_null=1',
    UBSAN_OPTIONS: 'print_stacktrace=1:halt_on_error=1',
  };
}
