import { isDeepStrictEqual } from 'node:util'
import { formatCall, type ReceivedCall } from '../../src/testing/index.js'
import type { ExpectedCall, Journey } from './journeys.js'

/**
 * Compares what arrived with what the journeys expect: every call, whose it is, and what consent it carries.
 *
 * @returns A line for each call that is missing and for each that should not be there; none where all is well.
 */
export function problemsOf(journeys: readonly Journey[], calls: readonly ReceivedCall[]): string[] {
  const left = [...calls]
  const taken = new Set(journeys.map(({ anonymousId }) => anonymousId))
  const problems: string[] = []
  for (const journey of journeys) {
    let anonymousId = journey.anonymousId
    for (const expected of journey.steps.flatMap((step) => step.calls)) {
      const isTheirs = (id: string) => (anonymousId === undefined ? !taken.has(id) : id === anonymousId)
      const index = left.findIndex(
        (call) =>
          isCall(call, expected) &&
          isDeepStrictEqual(call.context?.consent, { categoryPreferences: journey.consent }) &&
          call.anonymousId &&
          isTheirs(call.anonymousId),
      )
      const [found] = index < 0 ? [] : left.splice(index, 1)
      if (!found?.anonymousId) {
        problems.push(`missing: ${describe(expected)} of ${journey.visitor}`)
      } else {
        // Whoever was given no id is known by the one of their first call from here on.
        anonymousId = found.anonymousId
        taken.add(anonymousId)
      }
    }
  }
  return [...problems, ...left.map((call) => `not expected: ${formatCall(call)}`)]
}

function isCall(call: ReceivedCall, { type, name, userId, details = {} }: ExpectedCall): boolean {
  const given: Readonly<Record<string, unknown>> =
    ('traits' in call ? call.traits : 'properties' in call ? call.properties : undefined) ?? {}
  return (
    call.type === type &&
    nameOf(call) === name &&
    (call.userId ?? undefined) === userId &&
    Object.entries(details).every(([key, value]) => given[key] === value)
  )
}

function nameOf(call: ReceivedCall): string {
  switch (call.type) {
    case 'track':
      return call.event
    case 'group':
      return call.groupId
    case 'page':
    case 'screen':
      return [call.category, call.name].join(' ')
    default:
      return ''
  }
}

function describe({ type, name, userId, details }: ExpectedCall): string {
  const parts = [type, name, userId && `user=${userId}`, details && JSON.stringify(details)]
  return parts.filter(Boolean).join(' ')
}
