/**
 * Whether a text is what a page says it is. In a line of the page `…` stands for anything; as a line of its own, for any
 * lines.
 */
export function matches(expected: string, actual: string): boolean {
  return new RegExp(`^${patternOf(expected)}$`).test(actual)
}

function patternOf(expected: string): string {
  return expected
    .split('\n')
    .map((line) => (line.trim() === '…' ? '(?:.*\\n)*?.*' : line.split('…').map(escaped).join('.*')))
    .join('\\n')
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
}

/** Whether lines of a text are what a page says that they are. */
export function contains(expected: string, actual: string): boolean {
  return new RegExp(`(?:^|\\n)${patternOf(expected)}(?:$|\\n)`).test(actual)
}
