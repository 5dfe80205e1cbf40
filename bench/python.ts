/** Finds a Python that has PyTorch. */
import { execFileSync } from 'node:child_process';

/** The Python named, or the first of the usual names that imports torch. Throws where there is none. */
export function findPython(named: string | undefined): string {
  for (const python of named === undefined ? ['python3', 'python'] : [named]) {
    try {
      execFileSync(python, ['-c', 'import torch'], { stdio: 'ignore' });
      return python;
    } catch (error) {
      if (named !== undefined)
        throw new Error(`${python} has no PyTorch: ${(error as Error).message}`, { cause: error });
    }
  }
  throw new Error('--against torch needs a Python with PyTorch: name it with --python');
}
