/** The list of cases: cases.txt without its comments. */
export function casesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
}
