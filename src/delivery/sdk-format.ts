import type { CallParams, CallType, Remembered, SegmentCall, SegmentContext } from '../model/segment-call.js'
import { isRecord } from '../model/values.js'

const LIBRARY = '@segment/analytics-node'
/** What the SDK adds to every event. */
const METADATA = { nodeVersion: process.version, jsRuntime: 'node' }

/**
 * The event that the SDK makes of a call, with its members in the SDK's order.
 *
 * @param version - The SDK's.
 * @returns `undefined` for a call that the SDK would refuse, send to nobody, or write otherwise.
 */
export function sdkEventOf(call: SegmentCall, version: string): object | undefined {
  const { params } = call
  if (!isOrdinary(call)) return undefined
  const { userId, anonymousId, messageId, integrations = {} } = params
  const timestamp = writtenAs(params.timestamp)
  const context = withLibrary(params.context, version)
  if (!context) return undefined
  const _metadata = METADATA
  switch (call.type) {
    case 'track': {
      const { event, properties } = call.params
      const { type } = call
      return {
        timestamp,
        integrations,
        event,
        type,
        properties,
        context,
        userId,
        anonymousId,
        messageId,
        _metadata,
      }
    }
    case 'identify': {
      const { traits = {} } = call.params
      const { type } = call
      return { timestamp, integrations, type, userId, traits, context, anonymousId, messageId, _metadata }
    }
    case 'group': {
      const { traits = {}, groupId } = call.params
      const { type } = call
      return {
        timestamp,
        integrations,
        type,
        traits,
        groupId,
        context,
        anonymousId,
        userId,
        messageId,
        _metadata,
      }
    }
    case 'alias': {
      const { previousId } = call.params
      const { type } = call
      return { timestamp, integrations, userId, type, previousId, context, messageId, _metadata }
    }
    default: {
      const { category, name, properties: given } = call.params
      const { type } = call
      const hasCategory = type === 'page' && category !== undefined
      const properties = hasCategory ? { ...given, category } : (given ?? {})
      return {
        timestamp,
        integrations,
        type,
        properties,
        category,
        name,
        context,
        anonymousId,
        userId,
        messageId,
        _metadata,
      }
    }
  }
}

/** The millisecond that was written last, which many calls of a busy server share: writing it takes half of a call's JSON. */
const lastWritten = { time: Number.NaN, text: '' }

/** How JSON writes a time; the time itself where somebody else decides that. */
function writtenAs(timestamp: Date): string | Date {
  const { toJSON, toISOString } = Date.prototype
  if (timestamp.toJSON !== toJSON || timestamp.toISOString !== toISOString) return timestamp
  const time = timestamp.getTime()
  if (time !== lastWritten.time) {
    lastWritten.time = time
    lastWritten.text = timestamp.toISOString()
  }
  return lastWritten.text
}

/** The call of a text that was made of {@link sdkEventOf}. */
export function callOfSdkText(text: string, type: CallType, remembered: Remembered | undefined): SegmentCall {
  const { type: _, _metadata, context, integrations, timestamp, ...members } = JSON.parse(text)
  const { library: __, ...own } = context
  const params = {
    ...members,
    timestamp: new Date(timestamp),
    ...(Object.keys(own).length > 0 && { context: own }),
    ...(Object.keys(integrations).length > 0 && { integrations }),
  } as CallParams[CallType] & { traits?: object; properties?: object }
  // The SDK writes what was left out as an empty object.
  if (isEmpty(params.traits)) delete params.traits
  if (type !== 'track' && isEmpty(params.properties)) delete params.properties
  // This process made the text of a call of this type.
  return { type, params, ...(remembered && { remembered }) } as SegmentCall
}

function isEmpty(value: object | undefined): boolean {
  return value !== undefined && Object.keys(value).length === 0
}

/** Whether the SDK takes a call as it is, and sends it. */
function isOrdinary(call: SegmentCall): boolean {
  const { userId, anonymousId, messageId, integrations, timestamp } = call.params
  // `beforeSend` can make a date of nonsense, which no text tells.
  if (Number.isNaN(timestamp.getTime())) return false
  if (typeof messageId !== 'string' || messageId === '') return false
  if (userId === undefined ? typeof anonymousId !== 'string' : typeof userId !== 'string') return false
  if (anonymousId !== undefined && typeof anonymousId !== 'string') return false
  if (integrations !== undefined && !isCopied(integrations)) return false
  if (integrations !== undefined && 'Segment.io' in integrations) return false
  switch (call.type) {
    case 'track':
      return typeof call.params.event === 'string' && isRecord(call.params.properties)
    case 'identify':
    case 'group':
      return call.params.traits === undefined || isRecord(call.params.traits)
    case 'alias':
      return userId !== undefined
    default:
      return call.params.properties === undefined || isCopied(call.params.properties)
  }
}

/** Whether the SDK's copy of an object has all its members: it assigns them one by one. */
function isCopied(value: unknown): boolean {
  return isRecord(value) && !Object.hasOwn(value, '__proto__')
}

/** The context with the SDK's name in it, which is written into the call's own, as the SDK does. */
function withLibrary(context: SegmentContext | undefined, version: string): SegmentContext | undefined {
  if (!context) return { library: { name: LIBRARY, version } }
  const { library } = context
  if (library === undefined && Object.isExtensible(context) && !('library' in context))
    context.library = { name: LIBRARY, version }
  else if (!isLibrary(library, version)) return undefined
  return context
}

function isLibrary(value: unknown, version: string): boolean {
  return (
    isRecord(value) && value.name === LIBRARY && value.version === version && Object.keys(value).length === 2
  )
}
