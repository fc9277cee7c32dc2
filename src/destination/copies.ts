import type { Integrations, SegmentContext } from '../model/segment-call.js'
import { isRecord, plain, setMember } from '../model/values.js'

/** Lays properties over the globals of the event. */
export function withGlobals(
  globals: Readonly<Record<string, unknown>> | undefined,
  properties: unknown,
): unknown {
  const under = globals && membersOf(globals)
  if (!under) return properties
  return isRecord(properties) ? { ...under, ...properties } : under
}

/** Lays integrations over each other, and copies their options: the client may change the objects of a call. */
export function copyIntegrations(...sources: (Integrations | undefined)[]): Integrations {
  const copied: Integrations = {}
  for (const source of sources) {
    for (const name in source) {
      const choice = source[name]
      if (choice !== undefined) setMember(copied, name, isRecord(choice) ? copyOf(choice) : choice)
    }
  }
  return copied
}

/** Copies a context, and whatever else is an object of values. */
export function copyOf(context: SegmentContext): SegmentContext {
  const copied: SegmentContext = {}
  for (const key of Object.keys(context)) setMember<unknown>(copied, key, plain(context[key]))
  return copied
}

/** Copies traits, since two calls of an event may use the same part of it; `undefined` where they are empty. */
export function membersOf(value: unknown): Record<string, unknown> | undefined {
  const copied = plain(value)
  return isRecord(copied) && Object.keys(copied).length > 0 ? copied : undefined
}
