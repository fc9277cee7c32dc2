/** What was found of one thing. */
export interface Finding {
  readonly state: 'ok' | 'wrong' | 'unknown'
  /** What was looked at, such as `packages`. */
  readonly about: string
  /** What is the case; further lines are details. */
  readonly lines: readonly string[]
}

const MARKS = { ok: 'ok   ', wrong: 'WRONG', unknown: '-    ' } as const
const WIDTH = 10

/** Writes a finding: a line with its mark, and its details below it. */
export function lineOfFinding({ state, about, lines }: Finding): string {
  const [first = '', ...more] = lines
  const head = `${MARKS[state]}  ${about.padEnd(WIDTH)}  ${first}`
  return [head, ...more.map((line) => `${' '.repeat(WIDTH + 9)}${line}`)].join('\n')
}
