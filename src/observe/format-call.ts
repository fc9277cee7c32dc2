import { isRecord } from '../model/values.js'

/** As wide as the longest type, `identify`. */
const TYPE_WIDTH = 8
const MAX_NAME_LENGTH = 80
const MAX_JSON_LENGTH = 200

/** A call, as the client was given it or as an endpoint received it. */
export interface ShownCall {
  readonly type: string
  readonly event?: unknown
  readonly groupId?: unknown
  readonly category?: unknown
  readonly name?: unknown
  readonly previousId?: unknown
  readonly userId?: unknown
  readonly anonymousId?: unknown
  readonly traits?: object | null
  readonly properties?: object | null
  readonly context?: object | null
}

/** A call as one line: type, name, ids, properties or traits, consent. */
export function lineOfCall(call: ShownCall): string {
  const details = call.traits ?? call.properties ?? {}
  return lineOf(call.type, [nameOf(call), idsOf(call), shownJson(details), consentOf(call)])
}

/** An event that became no call, and why, as one line in the form of those of calls. */
export function lineOfDrop(
  name: string,
  ids: Pick<ShownCall, 'userId' | 'anonymousId'>,
  data: object,
  why: string,
): string {
  return lineOf('dropped', [
    truncate(name.trim(), MAX_NAME_LENGTH),
    idsOf({ type: 'dropped', ...ids }),
    shownJson(data),
    why,
  ])
}

/** Writes control, formatting and line-breaking characters and lone surrogates as `\u{hex}`, for terminals. */
export function escapeControls(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  )
}

function lineOf(type: string, parts: readonly string[]): string {
  return escapeControls(`${type.padEnd(TYPE_WIDTH)}  ${parts.filter((part) => part !== '').join('  ')}`)
}

function nameOf(call: ShownCall): string {
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

function idsOf(call: ShownCall): string {
  const ids: [string, unknown][] = [
    ['previous', call.type === 'alias' ? call.previousId : undefined],
    ['user', call.userId],
    ['anon', call.anonymousId],
  ]
  return ids
    .filter(([, id]) => id)
    .map(([label, id]) => `${label}=${truncate(id, MAX_NAME_LENGTH)}`)
    .join(' ')
}

function consentOf({ context }: ShownCall): string {
  const consent = isRecord(context) ? context.consent : undefined
  if (!isRecord(consent) || !isRecord(consent.categoryPreferences)) return ''
  const preferences = Object.entries(consent.categoryPreferences).map(
    ([key, value]) => `${key}=${value === true}`,
  )
  return `consent: ${truncate(preferences.join(' '), MAX_JSON_LENGTH)}`
}

function shownJson(value: object): string {
  if (Object.keys(value).length === 0) return ''
  try {
    return truncate(JSON.stringify(value), MAX_JSON_LENGTH)
  } catch {
    // JSON.stringify throws for values nested too deeply.
    return '{…}'
  }
}

/** A call from elsewhere may lack a name that its type requires. */
function truncate(text: unknown, length: number): string {
  if (typeof text !== 'string') return ''
  return text.length > length ? `${text.slice(0, length - 1)}…` : text
}
