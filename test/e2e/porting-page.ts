/**
 * docs/porting.md taken apart: the lines of its tables and its blocks of code, and how one of them becomes a program.
 */
import { readFileSync } from 'node:fs';

export interface Line {
  readonly python: string;
  readonly nodegrad: string;
}
export interface Trap {
  readonly written: string;
  /** The error that is thrown, or the value. */
  readonly happens: string;
  readonly meant: string;
}

const page = readFileSync(new URL('../../docs/porting.md', import.meta.url), 'utf8');
const rows = page
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.replaceAll('\\|', '|').trim().slice(1, -1)),
  );

export const lines: readonly Line[] = rows
  .filter((cells) => cells.length === 2)
  .map(([python, nodegrad]) => ({ python, nodegrad }));
export const traps: readonly Trap[] = rows
  .filter((cells) => cells.length === 3)
  .map(([written, happens, meant]) => ({ written, happens, meant }));
/** What all lines assume, and the training loop. */
const [assumed, loop] = [...page.matchAll(/^```ts\n(.*?)^```/gms)].map(([, code]) => code);

/** Names that no line imports: they are the package's own, or those that PyTorch programs import by a shorter one. */
export const IMPORTS =
  'const F = nn.functional;\nconst { DataLoader, TensorDataset, randomSplit } = utils.data;\nmanualSeed(0);\n';

/** The body of an async function that runs one line after what all assume, and returns its value where it has one. */
export function programOf(code: string): string {
  const isStatement = /^(const|let|for|if|class)\b/.test(code);
  return `${IMPORTS}${assumed}{\n${isStatement ? code : `return (${code});`}\n}\n`;
}
export const loopProgram = `${IMPORTS}const device = 'cpu';\n${assumed}{\n${loop}\nreturn loss.item();\n}\n`;
