import { isRecord } from '../model/values.js'
import type { ReceivedCall } from './received-calls.js'

/** As wide as the longest type, `identify`. */
const TYPE_WIDTH = 8
const MAX_NAME_LENGTH = 80
const MAX_JSON_LENGTH = 200

/**
 * Formats a call as one readable line for terminals and development logs: type, name, ids, properties or traits,
 * consent.
 *
 * Long parts are cut and end in `…`. Control characters are escaped, because calls carry visitors' input, which could
 * steer a terminal. The line contains personal data: keep it out of production logs.
 *
 * @param call - A call as {@link createSegmentServer} received it.
 * @returns The line, without a line break.
 * @throws TypeError for what is no call.
 *
 * @example
 * const server = await createSegmentServer({ onCall: (call) => console.log(formatCall(call)) })
 * // track     Order Completed  user=u1 anon=a1  {"total":42}  consent: analytics=true marketing=false
 */
export function formatCall(call: ReceivedCall): string {
  if (!isRecord(call) || typeof call.type !== 'string') {
    throw new TypeError(`formatCall was given ${typeof call}; expected a call such as those in server.calls`)
  }
  const parts = [nameOf(call), idsOf(call), json(detailsOf(call)), consentOf(call)]
  return escapeControls(`${call.type.padEnd(TYPE_WIDTH)}  ${parts.filter((part) => part !== '').join('  ')}`)
}

/** Writes control, formatting and line-breaking characters and lone surrogates as `\u{hex}`, for terminals. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

function nameOf(call: ReceivedCall): string {
  switch (call.type) {
    case 'track':
      return truncate(call.event, MAX_NAME_LENGTH)
    case 'group':
      return truncate(call.groupId, MAX_NAME_LENGTH)
    case 'page':
    case 'screen':
      return truncate([call.category, call.name].filter(Boolean).join(' '), MAX_NAME_LENGTH)
    default:
      return ''
  }
}

function idsOf(call: ReceivedCall): string {
  const ids = [
    ['previous', call.type === 'alias' ? call.previousId : undefined],
    ['user', call.userId],
    ['anon', call.anonymousId],
  ]
  return ids
    .filter(([, id]) => id)
    .map(([label, id]) => `${label}=${truncate(id ?? '', MAX_NAME_LENGTH)}`)
    .join(' ')
}

function detailsOf(call: ReceivedCall): object {
  const details = 'traits' in call ? call.traits : 'properties' in call ? call.properties : undefined
  return details ?? {}
}

function consentOf(call: ReceivedCall): string {
  const consent = call.context?.consent
  if (!isRecord(consent) || !isRecord(consent.categoryPreferences)) return ''
  const preferences = Object.entries(consent.categoryPreferences).map(
    ([key, value]) => `${key}=${value === true}`,
  )
  return `consent: ${truncate(preferences.join(' '), MAX_JSON_LENGTH)}`
}

function json(value: object): string {
  if (Object.keys(value).length === 0) return ''
  try {
    return truncate(JSON.stringify(value), MAX_JSON_LENGTH)
  } catch {
    // JSON.stringify throws for values nested too deeply.
    return '{…}'
  }
}

/** A call from elsewhere may lack a name that its type requires. */
function truncate(text: string | undefined, length: number): string {
  if (typeof text !== 'string') return ''
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}
