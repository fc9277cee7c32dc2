import type { Integrations } from './segment-call.js'
import { isRecord, setMember, toPlain } from './values.js'

/** The integrations of one event, as they were given. */
export interface GivenIntegrations {
  readonly integrations: Integrations | undefined
  /** A sentence for each part that was left out. */
  readonly problems: readonly string[]
  readonly tooLarge: boolean
  /** About how many bytes of memory they take. */
  readonly memory: number
}

const NONE: GivenIntegrations = { integrations: undefined, problems: [], tooLarge: false, memory: 0 }

/** Copies the integrations of one event: `true`, `false` or options for each of Segment's destinations. */
export function readIntegrations(given: unknown): GivenIntegrations {
  if (given === undefined) return NONE
  const { value, problems, tooLarge, memory } = toPlain(given)
  if (!isRecord(value)) {
    return { ...NONE, problems: ['expected an object, was left out'], tooLarge }
  }
  const integrations: Integrations = {}
  let unfit = 0
  for (const [name, choice] of Object.entries(value)) {
    if (typeof choice === 'boolean' || isRecord(choice)) setMember(integrations, name, choice)
    else unfit++
  }
  const left = unfit > 0 ? [`expected true, false or an object for each, ${unfit} left out`] : []
  return { integrations, problems: [...problems, ...left], tooLarge, memory }
}
