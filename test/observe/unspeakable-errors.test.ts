import { beforeEach, describe, expect, it, vi } from 'vitest'
import { SLOTS } from '../hostile/application.js'
import { watchProcess } from '../hostile/harm.js'
import { Misbehaviour, unspeakable } from '../hostile/misbehaviour.js'
import { play } from '../hostile/play.js'
import { segmentServer } from '../support/servers.js'

const WAYS: readonly [way: string, act: () => unknown][] = [
  [
    'is thrown',
    () => {
      throw unspeakable()
    },
  ],
  ['is rejected with at once', () => Promise.reject(unspeakable())],
  [
    'is rejected with in a later turn',
    () => new Promise((_, reject) => setImmediate(() => reject(unspeakable()))),
  ],
  [
    'is thrown by an async function in a later turn',
    async () => {
      await new Promise(setImmediate)
      throw unspeakable()
    },
  ],
]

describe.each(WAYS)('an error whose name, message and stack cannot be read, and that %s', (_way, act) => {
  beforeEach(() => {
    // A line that its own logger did not take goes to the console.
    for (const method of ['error', 'log', 'warn', 'info', 'debug'] as const)
      vi.spyOn(console, method).mockImplementation(() => {})
  })

  it('harms nothing, from whatever function of the application it comes', async () => {
    const { harm } = watchProcess()
    const segment = await segmentServer()
    const results = SLOTS.map((slot) => play({ [slot]: new Misbehaviour('unspeakable', act) }, segment))
    for (const result of await Promise.all(results))
      expect(result).toEqual({ answers: ['200 ok', '200 ok'], thrown: [] })
    await new Promise(setImmediate)
    // What was thrown cannot be printed.
    expect(harm.length).toBe(0)
  })
})
