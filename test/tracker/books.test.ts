import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { internalsOf } from '../../src/frameworks/adapter.js'
import type { Tracker } from '../../src/index.js'
import { recordTracking } from '../../src/testing/index.js'
import { requestsOf, visitor } from '../support/servers.js'

/** What a handler can do, between which other work of the process has its turn or not. */
const act = fc.constantFrom<((tracker: Tracker) => unknown)[]>(
  (tracker) => tracker.track('order complete'),
  (tracker) => tracker.track('order complete', {}, { consent: { analytics: false } }),
  (tracker) => tracker.track('order fail'),
  (tracker) => tracker.track(''),
  (tracker) => tracker.identify(undefined as never, {}),
  (tracker) => tracker.identify('u-1'),
  (tracker) => tracker.page('Home'),
  (tracker) => tracker.consent({ analytics: true }),
  (tracker) => tracker.consent({ analytics: false }),
  (tracker) => tracker.discard(),
  (tracker) => void tracker.flush(),
  (tracker) => tracker.flush(),
  () => new Promise((resolve) => setImmediate(resolve)),
)

const nobody: Record<string, string> = {}

const scope = fc.record({
  kind: fc.constantFrom('request', 'run', 'sender'),
  acts: fc.array(act, { maxLength: 8 }),
  afterwards: fc.array(act, { maxLength: 3 }),
  headers: fc.constantFrom(nobody, visitor('a-1')),
})

describe('the books', () => {
  it('agree at every moment with what trackers really hold', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(scope, { minLength: 1, maxLength: 4 }),
        fc.constantFrom('always' as const, 'success' as const),
        fc.boolean(),
        async (scopes, dispatch, slow) => {
          const differences: unknown[] = []
          const check = () => {
            const { open, tracked } = recorded.stats().events
            const counted = internalsOf(recorded, 'test').countOpen()
            if (open !== counted || open < 0 || open > tracked) differences.push({ open, counted, tracked })
          }
          const recorded = recordTracking({
            dispatch,
            consent: { analytics: true },
            logger: { handler: check },
            request: slow
              ? { consent: () => new Promise((resolve) => setImmediate(resolve, { analytics: true })) }
              : { consent: () => ({ analytics: true }) },
            mapping: {
              order: {
                fail: {
                  data: {
                    fn: () => {
                      check()
                      throw new Error('no')
                    },
                  },
                },
              },
            },
            on: { dropped: check, error: check, delivered: check, failed: check },
          })
          const inRequest = await requestsOf(recorded)
          const granted = { analytics: true }
          await Promise.all(
            scopes.map(async ({ kind, acts, afterwards, headers }) => {
              let tracker: Tracker | undefined
              const act = async (list: typeof acts, on: Tracker) => {
                for (const each of list) {
                  await each(on)
                  check()
                }
              }
              const work = async (own: Tracker) => {
                tracker = own
                await act(acts, own)
              }
              const sender = {
                user: headers === nobody ? {} : { session: 'a-1' },
                consent: slow ? async () => granted : granted,
              }
              if (kind === 'request') await inRequest(work, headers)
              else if (kind === 'run') await recorded.run(sender, work)
              else await work(recorded.forSender(sender))
              if (tracker) await act(afterwards, tracker)
            }),
          )
          await recorded.settled()
          check()
          expect(differences).toEqual([])
          expect(internalsOf(recorded, 'test').countOpen()).toBe(0)
        },
      ),
      { numRuns: 60 },
    )
  })
})
