import type { TrackingConfig } from '../../config/config.js'
import { escapeControls } from '../../observe/format-call.js'
import * as managers from '../../request/consent/index.js'
import { type ConsentFound, type ConsentReader, explained } from '../../request/consent/reader.js'
import type { Choice } from '../../request/consent/record.js'
import { expectedReader } from '../../request/reader-factory.js'
import { SenderReader } from '../../request/sender.js'
import { nameOf } from '../../support/log.js'
import { type CookieRequest, cookieRequest } from './cookie-request.js'
import type { Finding } from './report.js'

/** A manager's reader, as it is without options. */
interface Manager {
  readonly call: string
  readonly reader: ConsentReader
  /** Whether the site has to say what its ids stand for. */
  readonly needsMap: boolean
}

const MOST_CATEGORIES = 20
const MAX_NAME_LENGTH = 40

/**
 * Tells what each consent manager's reader makes of a `Cookie` header, and why. Of cookies it shows names, and of their values
 * only the categories that a manager's record names.
 */
export function checkConsent(header: string): Finding {
  const cookies = cookieRequest(header)
  if (cookies.names.length === 0)
    return wrong(["the header has no cookie: paste what follows Cookie: in the browser's network tab"])
  const found: string[] = []
  const without: string[] = []
  for (const manager of readersOfManagers()) {
    const lines = linesOf(manager, cookies)
    if (lines === undefined) without.push(manager.call)
    else found.push(...lines)
  }
  const names = cookies.names.map(shown).join(', ')
  if (found.length > 0)
    return { state: 'ok', about: 'consent', lines: [`of the cookies ${names}`, ...found, noneOf(without)] }
  return wrong([
    `none of ${without.length} readers knows the cookies ${names}`,
    'If your consent manager keeps its answer elsewhere, mirror it into a cookie and read that with consentCookie(): ' +
      'docs/consent-managers.md',
  ])
}

/** Tells what the readers of a configuration make of a `Cookie` header together. */
export async function checkConfiguredConsent(config: TrackingConfig, header: string): Promise<Finding> {
  const failed: string[] = []
  const sender = new SenderReader(config.request ?? {}, (reader, error) => {
    failed.push(`the reader ${shown(reader)} failed (${nameOf(error)})`)
  })
  const { state, readers } = await sender.consent(cookieRequest(header).request)
  const choices = Object.entries(state).map(
    ([key, granted]) => `${shown(key)} ${granted ? 'granted' : 'refused'} (${shown(readers[key] ?? '')})`,
  )
  const isOk = choices.length > 0 && failed.length === 0
  const line = choices.length > 0 ? choices.join(', ') : 'request.consent knows no choice of this visitor'
  return { state: isOk ? 'ok' : 'wrong', about: 'config', lines: [`with its readers: ${line}`, ...failed] }
}

function readersOfManagers(): Manager[] {
  return Object.entries(managers).flatMap(([name, factory]): Manager[] => {
    if (expectedReader(factory) === undefined || OTHERS.has(name)) return []
    const make = factory as (options?: object) => ConsentReader
    try {
      return [{ call: `${name}()`, reader: make(), needsMap: false }]
    } catch {
      return [{ call: `${name}()`, reader: make({ categories: {} }), needsMap: true }]
    }
  })
}

/** Factories that are no consent manager's. */
const OTHERS = new Set(['consentCookie', 'consentHeader', 'strictest'])

/** @returns `undefined` where a reader found nothing of its manager's. */
function linesOf(
  { call, reader, needsMap }: Manager,
  { request, asked }: CookieRequest,
): string[] | undefined {
  asked()
  const consent = reader(request)
  const names = asked()
  const found = reader[explained]?.(request)
  if (found && found.records.length === 0) {
    // A cookie of the manager's is there, and nothing in it can be read.
    const there = names.filter((name) => request.cookies.has(name))
    if (there.length === 0) return undefined
    const missing = names.filter((name) => !request.cookies.has(name))
    const besides = missing.length > 0 ? ` It also looks for ${missing.map(shown).join(', ')}.` : ''
    return [
      `${call}: ${there.map(shown).join(', ')} is there, and holds no record that it can read.${besides}`,
    ]
  }
  if (!found && consent === undefined) return undefined
  const choices = Object.entries(consent ?? {}).map(
    ([key, granted]) => `${key} ${granted ? 'granted' : 'refused'}`,
  )
  const answer = choices.length > 0 ? choices.join(', ') : 'unknown'
  return [`${call}: ${answer}`, ...(found ? whyOf(found, choices.length > 0, needsMap, names, request) : [])]
}

function whyOf(
  { records, mapping }: ConsentFound,
  isKnown: boolean,
  needsMap: boolean,
  names: readonly string[],
  request: CookieRequest['request'],
): string[] {
  const lines = records.map(({ choices, rest, explicit }) => {
    const named = [...choices]
      .slice(0, MOST_CATEGORIES)
      .map(([id, choice]) => `${shown(id)} ${wordOf(choice)}`)
    const all = rest === undefined ? [] : [`everything else ${wordOf(rest)}`]
    const more = choices.size > MOST_CATEGORIES ? [`and ${choices.size - MOST_CATEGORIES} more`] : []
    return `  its record${explicit ? '' : ', not of a choice'}: ${[...named, ...all, ...more].join(', ') || 'names no category'}`
  })
  if (records.length > 1)
    lines.push('  the cookie is there several times with different values: the strictest counts')
  if (isKnown) return lines
  if (needsMap)
    return [
      ...lines,
      '  its ids are your own: say what they stand for, as in { categories: { ID: "analytics" } }',
    ]
  if (mapping.explicitOnly && records.every(({ explicit }) => !explicit)) {
    const missing = names.filter((name) => !request.cookies.has(name)).map(shown)
    const mark = missing.length > 0 ? ` (${missing.join(', ')} is missing)` : ''
    return [
      ...lines,
      `  the visitor has not chosen${mark}: with { explicitOnly: false } its default state would count`,
    ]
  }
  return [
    ...lines,
    '  none of its categories is in the default map: say what they stand for with { categories }',
  ]
}

function wordOf(choice: Choice): string {
  if (typeof choice === 'boolean') return choice ? 'granted' : 'refused'
  return choice
}

function noneOf(without: readonly string[]): string {
  return `${without.length} other readers found nothing of theirs`
}

/** What comes from a header may be of any length, and steer a terminal. */
function shown(text: string): string {
  const short = text.length > MAX_NAME_LENGTH ? `${text.slice(0, MAX_NAME_LENGTH)}…` : text
  return escapeControls(short)
}

function wrong(lines: readonly string[]): Finding {
  return { state: 'wrong', about: 'consent', lines }
}
