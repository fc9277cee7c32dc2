import type { WalkerOS } from '@walkeros/core'
import { type Identity, toId } from '../model/identity.js'
import { isRecord, setMember } from '../model/values.js'
import { isPromise } from '../support/maybe.js'
import type { MappedValues } from './calls.js'
import type { Evaluate, MappingScope } from './mapping-value.js'

/** The results of an event's mappings, some of them promises: ids, context, properties, and the calls other than `track()`. */
export interface Values extends MappedValues {
  readonly userId: unknown
  readonly anonymousId: unknown
  readonly context: unknown
  readonly globals: Readonly<Record<string, unknown>> | undefined
  readonly data: unknown
}

/** Whether an asynchronous function of the application's has to be awaited. */
export function someArePromises(values: Values): boolean {
  const { userId, anonymousId, context, data, identify, group, page, screen } = values
  return (
    isPromise(userId) ||
    isPromise(anonymousId) ||
    isPromise(context) ||
    isPromise(data) ||
    isPromise(identify) ||
    isPromise(group) ||
    isPromise(page) ||
    isPromise(screen)
  )
}

/** Awaits the values that are promises. */
export async function resolved(values: Values): Promise<Values> {
  const [userId, anonymousId, context, data, identify, group, page, screen] = await Promise.all([
    values.userId,
    values.anonymousId,
    values.context,
    values.data,
    values.identify,
    values.group,
    values.page,
    values.screen,
  ])
  const { globals } = values
  return { userId, anonymousId, context, globals, data, identify, group, page, screen }
}

/** The values that the event has for the names of the config's globals: a handler or a policy may have changed them. */
export function globalsOf(
  event: WalkerOS.Event,
  common: Readonly<Record<string, unknown>> | undefined,
): Readonly<Record<string, unknown>> | undefined {
  if (!common || !isRecord(event.globals)) return undefined
  const globals: Record<string, unknown> = {}
  for (const name of Object.keys(common)) {
    if (Object.hasOwn(event.globals, name)) setMember(globals, name, event.globals[name])
  }
  return globals
}

/**
 * The id that decides whether a visitor is in a sample: the anonymousId, since a login does not change it, or else the
 * userId, as the `identify` mapping gives it first. `undefined` where there is neither.
 */
export function visitorOf({ userId, anonymousId }: Identity, { identify }: Values): string | undefined {
  return anonymousId ?? (isRecord(identify) ? toId(identify.userId) : undefined) ?? userId
}

/** Evaluates the mapping of a page or a screen; `true` asks for a call without values. */
export function viewOf(
  view: Evaluate | true | undefined,
  event: WalkerOS.Event,
  scope: MappingScope,
): unknown {
  return view === true ? true : view?.(event, scope)
}
