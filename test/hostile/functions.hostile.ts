import fc from 'fast-check'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { segmentServer } from '../support/servers.js'
import { type Acts, SLOTS } from './application.js'
import { holds } from './generated.js'
import { watchProcess } from './harm.js'
import { misbehaviour } from './misbehaviour.js'
import { play } from './play.js'

/** An application in which some functions misbehave; the others do what they should. */
const application: fc.Arbitrary<Acts> = fc
  .subarray([...SLOTS], { minLength: 1, maxLength: 4 })
  .chain((slots) =>
    fc
      .tuple(...slots.map(() => misbehaviour))
      .map((acts) => Object.fromEntries(slots.map((slot, at) => [slot, acts[at]]))),
  )

describe('an application whose functions misbehave', () => {
  beforeEach(() => {
    // A line that its own logger did not take goes to the console.
    for (const method of ['error', 'log', 'warn', 'info', 'debug'] as const)
      vi.spyOn(console, method).mockImplementation(() => {})
  })

  it('answers as ever, loses no event silently, and shuts down in time', async () => {
    const { harm } = watchProcess()
    const segment = await segmentServer()
    await holds(
      fc.asyncProperty(fc.array(application, { minLength: 1, maxLength: 12 }), async (applications) => {
        const results = await Promise.all(applications.map((acts) => play(acts, segment)))
        // Rejections that nobody handles are told after the microtasks of a turn.
        await new Promise(setImmediate)
        expect(harm.splice(0)).toEqual([])
        for (const result of results) expect(result).toEqual({ answers: ['200 ok', '200 ok'], thrown: [] })
      }),
      16,
      true,
    )
  })
})
