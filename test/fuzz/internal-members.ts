/**
 * Members of classes that only TypeScript hides: declared private or protected, or documented as internal. JavaScript
 * sees them beside the public ones, and nobody promises what they do with odd arguments.
 */
import { readdirSync, readFileSync } from 'node:fs';

const lib = new URL('../../lib/', import.meta.url);
const MODIFIERS = '(?:(?:static|readonly|abstract|override|async|get|set) )*\\*?';
const CLASS = /^(?:export )?(?:default )?(?:abstract )?class (\w+)/;
const HIDDEN = new RegExp(`^ {2}(?:private|protected) ${MODIFIERS}(\\w+)`);
const MEMBER = new RegExp(`^ {2}(?:public )?${MODIFIERS}(\\w+)[(<]`);

function gather(): Set<string> {
  const found = new Set<string>();
  for (const file of readdirSync(lib, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    let owner = '';
    let comment = '';
    for (const line of readFileSync(new URL(file, lib), 'utf8').split('\n')) {
      owner = CLASS.exec(line)?.[1] ?? owner;
      const hidden = HIDDEN.exec(line)?.[1];
      if (hidden !== undefined) found.add(`${owner}.${hidden}`);
      if (/^ {2}(\/\*\*| \*)/.test(line)) comment = line.includes('/**') ? line : comment + line;
      else {
        const member = MEMBER.exec(line)?.[1];
        if (member !== undefined && /\bInternal\b/.test(comment)) found.add(`${owner}.${member}`);
        comment = '';
      }
    }
  }
  return found;
}

const internal = gather();

/** Whether a member that a class declares is not part of its interface. */
export function isInternal(owner: string, member: string): boolean {
  return internal.has(`${owner}.${member}`);
}
