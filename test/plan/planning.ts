import { onTestFinished } from 'vitest'
import type { Tracker } from '../../src/index.js'
import type { Plan } from '../../src/plan/index.js'
import { type RecordedTracking, type RecordingConfig, recordTracking } from '../../src/testing/index.js'
import { requestsOf, visitor } from '../support/servers.js'

/** What a request tracked, held to a plan. */
export interface Planned extends RecordedTracking {
  /** What was logged. */
  readonly lines: readonly string[]
  /** What `on.error` was told. */
  readonly errors: readonly unknown[]
}

/** A tracking that is held to a plan, and what serves requests of one visitor until their events are sent. */
export async function planning(plan: Plan | undefined, config: RecordingConfig = {}) {
  const lines: string[] = []
  const errors: unknown[] = []
  const recorded = recordTracking({
    logger: {
      handler: (_level, message, context) => void lines.push(`${message} ${JSON.stringify(context)}`),
    },
    ...config,
    on: { error: (error) => void errors.push(error), ...config.on },
    ...(plan && { plan }),
  })
  onTestFinished(async () => {
    await recorded.shutdown({ timeout: 1_000 })
  })
  const inRequest = await requestsOf(recorded)
  return {
    recorded: Object.assign(recorded, { lines, errors }),
    async visit(handle: (tracker: Tracker) => void) {
      await inRequest(handle, visitor('a-1'))
      await recorded.settled()
    },
  }
}

/** What one request comes to that is held to a plan. */
export async function tracked(
  plan: Plan | undefined,
  handle: (tracker: Tracker) => void,
  config?: RecordingConfig,
): Promise<Planned> {
  const { recorded, visit } = await planning(plan, config)
  await visit(handle)
  return recorded
}

/** The properties or traits of the only call. */
export function sent(recorded: RecordedTracking): unknown {
  const [call, ...others] = recorded.calls
  if (!call || others.length > 0) throw new Error(`${recorded.calls.length} calls instead of one`)
  if ('traits' in call) return call.traits
  return 'properties' in call ? call.properties : undefined
}
