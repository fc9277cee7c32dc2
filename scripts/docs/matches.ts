/**
 * Whether a text is what a page says it is. In a line of the page `…` stands for anything; as a line of its own, for any
 * lines.
 */
export function matches(expected: string, actual: string): boolean {
  const pattern = expected
    .split('\n')
    .map((line) => (line.trim() === '…' ? '(?:.*\\n)*?.*' : line.split('…').map(escaped).join('.*')))
    .join('\\n')
  return new RegExp(`^${pattern}$`).test(actual)
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}
