import { toId } from '../model/identity.js'
import { isLargerThan, MAX_CALL_BYTES } from '../model/json-size.js'
import type {
  CallParams,
  CommonParams,
  Integrations,
  SegmentCall,
  SegmentContext,
} from '../model/segment-call.js'
import { isRecord, setMember, toPlain } from '../model/values.js'

/** Before the last function a call may be larger than Segment takes: the next one may make it small again. */
const MOST_BETWEEN = 8 * MAX_CALL_BYTES

/** Copies a call, so that a change to it reaches no other. The copy has documented members only. */
export function copyOfCall(call: SegmentCall): SegmentCall {
  const { remembered: _, ...copied } = readCall(new ParamsReader(call.params, Number.POSITIVE_INFINITY), call)
  return copied
}

/**
 * Makes a call of the object that an application's function returned: plain, bounded, with type, messageId and consent of
 * the original. Unknown members are left out, and a missing timestamp is the original's.
 *
 * @param isLast - Whether the call goes on as it is. Members that are too large for Segment are then cut, but stay too
 * large, so that the check of the size finds the call.
 * @throws TypeError if it is no call of that type. The message names the member, never its value.
 */
export function readReturnedCall(returned: unknown, original: SegmentCall, isLast: boolean): SegmentCall {
  if (!isRecord(returned) || !isRecord(returned.params)) {
    throw new TypeError('it returned no call: expected the call with its changes, or null to withhold it')
  }
  const { params } = returned
  return readCall(new ParamsReader(params, isLast ? MAX_CALL_BYTES : MOST_BETWEEN, isLast), original)
}

function readCall(read: ParamsReader, original: SegmentCall): SegmentCall {
  const common = commonOf(read, original.params)
  const memory = original.remembered && { remembered: original.remembered }
  switch (original.type) {
    case 'track': {
      const properties = read.optionalRecord('properties') ?? {}
      return { type: 'track', params: { event: read.text('event'), properties, ...common } }
    }
    case 'identify':
      return { type: 'identify', params: { ...traitsOf(read), ...common }, ...memory }
    case 'group':
      return {
        type: 'group',
        params: { groupId: read.text('groupId'), ...traitsOf(read), ...common },
        ...memory,
      }
    case 'alias': {
      read.text('userId')
      return { type: 'alias', params: { previousId: read.text('previousId'), ...common } }
    }
    default:
      return { type: original.type, params: { ...viewOf(read), ...common } }
  }
}

function commonOf(read: ParamsReader, original: CommonParams): CommonParams {
  const params: CommonParams = { timestamp: read.time('timestamp', original.timestamp) }
  const userId = read.optionalText('userId')
  const anonymousId = read.optionalText('anonymousId')
  if (userId === undefined && anonymousId === undefined) {
    throw new TypeError('userId and anonymousId are missing: Segment refuses calls without an id')
  }
  if (userId !== undefined) params.userId = userId
  if (anonymousId !== undefined) params.anonymousId = anonymousId
  if (original.messageId !== undefined) params.messageId = original.messageId
  const context = contextOf(read, original)
  if (context) params.context = context
  const integrations = integrationsOf(read)
  if (integrations) params.integrations = integrations
  return params
}

function contextOf(read: ParamsReader, original: CommonParams): SegmentContext | undefined {
  const { consent: _, ...context } = read.optionalRecord('context') ?? {}
  const consent = original.context?.consent
  if (consent) return { ...context, consent: { categoryPreferences: { ...consent.categoryPreferences } } }
  return Object.keys(context).length > 0 ? context : undefined
}

function integrationsOf(read: ParamsReader): Integrations | undefined {
  const given = read.optionalRecord('integrations')
  if (!given) return undefined
  const integrations: Integrations = {}
  for (const [name, choice] of Object.entries(given)) {
    if (typeof choice !== 'boolean' && !isRecord(choice)) {
      throw new TypeError('integrations: expected true, false or an object for each')
    }
    setMember(integrations, name, choice)
  }
  return integrations
}

function viewOf(read: ParamsReader): Omit<CallParams['page'], keyof CommonParams> {
  const category = read.optionalText('category')
  const name = read.optionalText('name')
  const properties = read.optionalRecord('properties')
  return {
    ...(category !== undefined && { category }),
    ...(name !== undefined && { name }),
    ...(properties && { properties }),
  }
}

function traitsOf(read: ParamsReader): Pick<CallParams['identify'], 'traits'> {
  const traits = read.optionalRecord('traits')
  return traits ? { traits } : {}
}

/** Reads members of a call's parameters. `null` and `undefined` count as missing. */
class ParamsReader {
  readonly #params: Readonly<Record<string, unknown>>
  readonly #limit: number
  readonly #mayCut: boolean

  /**
   * @param limit - The most bytes of an object that is read.
   * @param mayCut - Whether an object beyond the limit is cut, unless the rest would pass for the whole.
   */
  constructor(params: object, limit: number, mayCut = false) {
    this.#params = isRecord(params) ? params : {}
    this.#limit = limit
    this.#mayCut = mayCut
  }

  text(name: string): string {
    const text = this.optionalText(name)
    if (text === undefined) throw new TypeError(`${name} is missing: expected a non-empty string`)
    return text
  }

  optionalText(name: string): string | undefined {
    const given = this.#params[name] ?? undefined
    const text = toId(given)
    if (given !== undefined && text === undefined) throw new TypeError(`${name}: expected a non-empty string`)
    return text
  }

  optionalRecord(name: string): Record<string, unknown> | undefined {
    const given = this.#params[name] ?? undefined
    if (given === undefined) return undefined
    const { value, tooLarge } = toPlain(given, this.#limit)
    if (!isRecord(value)) throw new TypeError(`${name}: expected an object`)
    if (tooLarge && !(this.#mayCut && isLargerThan(value, this.#limit))) {
      throw new TypeError(`${name} is far larger than the 32 KB that Segment takes for a call`)
    }
    return value
  }

  time(name: string, otherwise: Date): Date {
    const given = this.#params[name] ?? otherwise
    const isTime = given instanceof Date || typeof given === 'string' || typeof given === 'number'
    const time = new Date(isTime ? given : Number.NaN)
    if (Number.isNaN(time.getTime())) throw new TypeError(`${name}: expected a Date`)
    return time
  }
}
