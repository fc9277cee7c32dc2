import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { cookieNames } from '../reader-options.js'
import { readBits } from './bits.js'
import { cookieValues, MAX_VALUES } from './cookie-values.js'
import { type ConsentReader, type OptOutOptions, optOutReader } from './reader.js'
import { isOptedOutOfSale, signalText } from './us-privacy.js'

/** The options of {@link gpp}. */
export interface GppOptions extends OptOutOptions {
  /**
   * The cookies that may hold the string. An opt-out in any of them counts. Defaults to `gpp`, `OTGPPConsent` and
   * `IABGPP_HDR_GppString`.
   */
  cookies?: readonly string[]
}

/**
 * Reads the opt-outs in a string of the IAB's Global Privacy Platform: those of the national section and of every US
 * state that has one (ids 6 to 27). The string is in the cookie `gpp`, with OneTrust in `OTGPPConsent`, with InMobi Choice
 * in `IABGPP_HDR_GppString`.
 *
 * It only refuses. The signals are `sale`, `sharing`, `targetedAdvertising` and `gpc`, and each of them refuses
 * `marketing` by default. All sections in the string count, even if `gpp_sid` says that they do not apply here. The
 * sections of Europe and Canada hold no opt-outs and are not read (see `tcf`).
 *
 * It reads the few bits that it needs at fixed offsets, in bounded time and without a dependency.
 *
 * Source: IAB Tech Lab, Global Privacy Platform, "Consent String Specification" and the sections' specifications.
 */
export function gpp(options: GppOptions = {}): ConsentReader {
  return optOutReader({
    name: 'gpp',
    signals: SIGNALS,
    options,
    rules: { cookies: cookieNames },
    read: signalsOf,
  })
}

markFactory(gpp, 'gpp()')

const SIGNALS = ['sale', 'sharing', 'targetedAdvertising', 'gpc']

/** The offsets of a section's opt-outs, each a two-bit field. */
interface OptOutOffsets {
  readonly sale: number
  readonly sharing?: number
  readonly targetedAdvertising?: number
}

const HEADER_TYPE = 3
const HEADER_VERSION = 1
/** More sections than exist, and few enough to read in every request. */
const MAX_SECTIONS = 40
const US_PRIVACY_SECTION = 6
const OPTED_OUT = 1
/** The offset of Global Privacy Control in its segment, behind the segment's type, of which there is no other. */
const GPC = 2

/** The layouts of the sections, by the number of notice fields before the opt-outs. */
const NATIONAL: OptOutOffsets = { sale: 18, sharing: 20, targetedAdvertising: 22 }
const CALIFORNIA: OptOutOffsets = { sale: 12, sharing: 14 }
const STATE: OptOutOffsets = { sale: 12, targetedAdvertising: 14 }
const STATE_WITH_SENSITIVE_DATA_NOTICE: OptOutOffsets = { sale: 14, targetedAdvertising: 16 }
const STATE_WITH_MSPA_FIRST: OptOutOffsets = { sale: 16, targetedAdvertising: 18 }

function layoutOf(section: number): OptOutOffsets | undefined {
  if (section === 7) return NATIONAL
  if (section === 8) return CALIFORNIA
  // Utah and Iowa have one notice more than the others.
  if (section === 11 || section === 18) return STATE_WITH_SENSITIVE_DATA_NOTICE
  if (section >= 9 && section <= 23) return STATE
  if (section >= 24 && section <= 27) return STATE_WITH_MSPA_FIRST
  return undefined
}

/** The states whose second segment holds consents to sensitive data instead of GPC: Indiana, Kentucky, Rhode Island. */
const WITHOUT_GPC: readonly number[] = [25, 26, 27]

function signalsOf(
  request: TrackedRequest,
  { cookies = ['gpp', 'OTGPPConsent', 'IABGPP_HDR_GppString'] }: GppOptions,
): Set<string> {
  const signals = new Set<string>()
  for (const cookie of cookies) {
    const values = cookieValues(request, cookie)
    // More values than a browser sends hide what the visitor said, so the strictest answer counts.
    if (values.length > MAX_VALUES) return new Set(SIGNALS)
    for (const value of values) addSignalsOfString(signals, signalText(value))
  }
  return signals
}

function addSignalsOfString(signals: Set<string>, text: string): void {
  const [header = '', ...sections] = text.split('~', MAX_SECTIONS + 1)
  for (const [index, id] of sectionIds(header, sections.length).entries()) {
    addSignals(signals, id, sections[index] ?? '')
  }
}

function addSignals(signals: Set<string>, id: number, section: string): void {
  if (id === US_PRIVACY_SECTION && isOptedOutOfSale(section)) signals.add('sale')
  const layout = layoutOf(id)
  if (layout === undefined) return
  const [core = '', ...segments] = withoutHeader(section.split('.', 4), id)
  const version = readBits(core, 0, 6)
  // Another version may keep other fields at these offsets.
  if (version !== 1 && !(id === 7 && version === 2)) return
  for (const [signal, offset] of Object.entries(layout)) {
    if (readBits(core, offset, 2) === OPTED_OUT) signals.add(signal)
  }
  if (WITHOUT_GPC.includes(id)) return
  for (const segment of segments) {
    if (readBits(segment, GPC, 1) === 1) signals.add('gpc')
  }
}

/**
 * Removes the header that the specifications of sections 24 to 27 describe. It begins with the section's id, and the
 * IAB's own encoder does not write it.
 */
function withoutHeader(segments: readonly string[], id: number): readonly string[] {
  const [first = ''] = segments
  return id >= 24 && readBits(first, 0, 6) === id ? segments.slice(1) : segments
}

/**
 * Reads the ids of the sections from the header: a list of single ids and ranges, each the distance from the id before
 * it. Returns an empty list if the header is malformed.
 */
function sectionIds(header: string, count: number): number[] {
  if (readBits(header, 0, 6) !== HEADER_TYPE || readBits(header, 6, 6) !== HEADER_VERSION) return []
  const items = readBits(header, 12, 12) ?? 0
  const ids: number[] = []
  let position = 24
  let last = 0
  for (let item = 0; item < items && ids.length < count; item++) {
    const isRange = readBits(header, position, 1) === 1
    const first = readFibonacci(header, position + 1)
    const length = isRange && first ? readFibonacci(header, first.end) : { value: 0, end: first?.end ?? 0 }
    if (first === undefined || length === undefined) return []
    for (let id = last + first.value; id <= last + first.value + length.value && ids.length < count; id++) {
      ids.push(id)
    }
    last += first.value + length.value
    position = length.end
  }
  return ids
}

/** Reads a number in Fibonacci coding, which ends with two ones. Returns `undefined` if none ends within 24 bits. */
function readFibonacci(text: string, from: number): { value: number; end: number } | undefined {
  let value = 0
  let [weight, next] = [1, 2]
  let previous = 0
  for (let position = from; position < from + 24; position++) {
    const bit = readBits(text, position, 1)
    if (bit === undefined) return undefined
    if (bit === 1 && previous === 1) return { value, end: position + 1 }
    if (bit === 1) value += weight
    previous = bit
    ;[weight, next] = [next, weight + next]
  }
  return undefined
}
