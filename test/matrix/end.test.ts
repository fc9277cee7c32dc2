import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Outcome, Tracking } from '../../src/index.js'
import { segmentServer, trackingTo } from '../support/servers.js'
import { type Framework, frameworks } from './frameworks.js'
import { Gate } from './gate.js'
import { type End, type Scenario, scenarios } from './scenarios.js'
import { Wire } from './wire.js'

/** What a scenario left behind, to be compared with and without tracking. */
interface Trace {
  /** What each connection was sent. */
  readonly bytes: readonly Buffer[]
  /** How many listeners the events of requests, responses and sockets have when all is over. */
  readonly listeners: readonly Record<string, number>[]
  readonly unhandled: readonly string[]
}

for (const framework of frameworks) {
  describe(`the end of a request in ${framework.name}`, () => {
    it.each(scenariosOf(framework))('$name', async (scenario) => {
      const resources = process.getActiveResourcesInfo()
      const without = await play(framework, scenario, undefined)
      const segment = await segmentServer()
      const ends: End[] = []
      const errors: unknown[] = []
      const tracking = trackingTo(segment, {
        request: { anonymousId: () => 'somebody' },
        dispatch: (outcome) => ends.push(endOf(outcome)) > 0,
        on: { error: (error) => errors.push(error) },
        logger: { handler: () => {} },
      })

      const traced = await play(framework, scenario, tracking)
      await tracking.flush()
      const expected = expectedEnds(framework, scenario)
      expect(ends).toEqual(expected)
      // No request counts as open any more: a shutdown would wait for it.
      expect(await tracking.shutdown()).toMatchObject({ pending: 0, timedOut: false })
      await segment.close()

      expect(ends).toHaveLength(expected.length)
      expect(segment.received).toBe(expected.length)
      expect(segment.duplicates).toEqual([])
      expect(errors).toEqual([])
      expect(traced.unhandled).toEqual(scenario.unhandled?.(framework) ?? [])
      expect(traced.listeners).toEqual(without.listeners)
      expect(traced.bytes.map((bytes) => bytes.byteLength)).toEqual(
        without.bytes.map((bytes) => bytes.byteLength),
      )
      expect(traced.bytes.every((bytes, index) => bytes.equals(without.bytes[index] ?? Buffer.of()))).toBe(
        true,
      )
      expect(await leftBehind(resources)).toEqual([])
    })
  })
}

/** Those in which all requests end. */
function scenariosOf({ endsWithHandler }: Framework): readonly Scenario[] {
  return endsWithHandler ? scenarios.filter(({ handlerEnds }) => handlerEnds !== 'never') : scenarios
}

function expectedEnds(framework: Framework, { ends, handlerEnds }: Scenario): readonly End[] {
  if (framework.endsWithHandler && Array.isArray(handlerEnds)) return handlerEnds
  return typeof ends === 'function' ? ends(framework) : ends
}

function endOf({ status, aborted, durationMs }: Outcome): End {
  expect(aborted).toBe(status === undefined)
  expect(durationMs).toBeGreaterThanOrEqual(0)
  return status ?? 'aborted'
}

/** Lets a scenario happen, and waits until all its connections are closed and its requests have ended. */
async function play(
  framework: Framework,
  scenario: Scenario,
  tracking: Tracking | undefined,
): Promise<Trace> {
  const gate = new Gate()
  const listen = await framework.serve(scenario, gate, tracking)
  const messages: (IncomingMessage | ServerResponse)[] = []
  const server = createServer((req, res) => {
    res.setHeader('Date', 'Thu, 01 Jan 1970 00:00:00 GMT')
    messages.push(req, res)
    listen(req, res)
  })
  const connectionsClosed: Promise<unknown>[] = []
  server.on('connection', (socket) => {
    connectionsClosed.push(new Promise((resolve) => socket.on('close', resolve)))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const wires: Wire[] = []
  const unhandled = await withUnhandled(gate, async () => {
    await scenario.client(async (open = Wire.connect) => {
      const wire = await open(address.port)
      wires.push(wire)
      return wire
    }, gate)
    server.close()
    await once(server, 'close')
    await Promise.all(connectionsClosed)
  })
  return {
    bytes: wires.map((wire) => wire.bytes),
    listeners: [...messages, ...new Set(messages.map((message) => message.socket))].map(listenersOf),
    unhandled,
  }
}

/** What keeps the process alive and did not before; the test runner's own timers come and go within a few turns. */
async function leftBehind(before: readonly string[]): Promise<string[]> {
  for (let turn = 0; ; turn++) {
    const known = [...before]
    const added = process.getActiveResourcesInfo().filter((resource) => {
      const index = known.indexOf(resource)
      if (index >= 0) known.splice(index, 1)
      return index < 0
    })
    if (added.length === 0 || turn === 1_000) return added
    await new Promise(setImmediate)
  }
}

function listenersOf(emitter: NodeJS.EventEmitter | null): Record<string, number> {
  if (!emitter) return {}
  return Object.fromEntries(emitter.eventNames().map((name) => [String(name), emitter.listenerCount(name)]))
}

/** Collects the errors that nobody takes care of, in place of the test runner, which takes each for a failure. */
async function withUnhandled(gate: Gate, act: () => Promise<void>): Promise<string[]> {
  const unhandled: string[] = []
  const collect = (error: unknown) => {
    unhandled.push(error instanceof Error ? error.message : String(error))
    gate.open('unhandled')
  }
  const rejection = process.listeners('unhandledRejection')
  const exception = process.listeners('uncaughtException')
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', collect)
  process.removeAllListeners('uncaughtException').on('uncaughtException', collect)
  try {
    await act()
  } finally {
    process.off('unhandledRejection', collect).off('uncaughtException', collect)
    for (const listener of rejection) process.on('unhandledRejection', listener)
    for (const listener of exception) process.on('uncaughtException', listener)
  }
  return unhandled
}
