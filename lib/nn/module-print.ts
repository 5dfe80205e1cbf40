/** Modules as PyTorch prints them, out of the lines that they give. */

/** `name(extra)`, or a line for each part of `extra` and each child. */
export function printed(name: string, extra: string, children: readonly string[]): string {
  const extraLines = extra === '' ? [] : extra.split('\n');
  const lines = [...extraLines, ...children];
  if (lines.length === 0) return `${name}()`;
  if (extraLines.length === 1 && children.length === 0) return `${name}(${extraLines[0]})`;
  return `${name}(\n  ${lines.join('\n  ')}\n)`;
}

/** All lines but the first two spaces further in. */
export function indented(text: string): string {
  return text.replaceAll('\n', '\n  ');
}
