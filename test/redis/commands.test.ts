import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { hasRedis } from '../support/redis.js'
import { fleet, streamOf, waiting } from './fleet.js'

/**
 * The commands that are sent, with those of their options that are younger than the command, and the version of Redis that
 * each came with. Source: redis.io, the "History" of each command.
 */
const SINCE: Readonly<Record<string, string>> = {
  XADD: '5.0.0',
  'XADD NOMKSTREAM': '6.2.0',
  XREADGROUP: '5.0.0',
  XACK: '5.0.0',
  XDEL: '5.0.0',
  XLEN: '5.0.0',
  XCLAIM: '5.0.0',
  XAUTOCLAIM: '6.2.0',
  XPENDING: '5.0.0',
  'XGROUP CREATE': '5.0.0',
  'XINFO STREAM': '5.0.0',
  'XINFO CONSUMERS': '5.0.0',
  XTRIM: '5.0.0',
  'XTRIM MINID': '6.2.0',
  MULTI: '1.2.0',
  EXEC: '1.2.0',
  INFO: '1.0.0',
  'CONFIG GET': '2.0.0',
}
/** Options that would need a table entry of their own. */
const YOUNG = ['NOMKSTREAM', 'MINID', 'ENTRIESREAD', 'LASTID', 'KEEPREF', 'DELREF', 'ACKED', 'CREATECONSUMER']
/** What the clients send of their own accord, and the test. */
const NOT_OURS = ['HELLO', 'CLIENT', 'COMMAND', 'MONITOR', 'KEYS', 'DEL', 'ACL']

/** Hears every command that a Redis runs. */
async function monitored(port: number): Promise<string[]> {
  const lines: string[] = []
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  let rest = ''
  socket.setEncoding('utf8').on('data', (text: string) => {
    const parts = (rest + text).split('\r\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  socket.write('MONITOR\r\n')
  await once(socket, 'data')
  return lines
}

/** A command as the table has it; the texts of calls are no part of it. */
function namesOf(line: string): string[] {
  const words = [...line.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, word = '']) => word)
  const name = (words[0] ?? '').toUpperCase()
  if (name === '' || NOT_OURS.includes(name)) return []
  const isContainer = ['XGROUP', 'XINFO', 'CONFIG'].includes(name)
  const command = isContainer ? `${name} ${(words[1] ?? '').toUpperCase()}` : name
  const young = words.slice(1, 6).filter((word) => YOUNG.includes(word))
  return [command, ...young.map((option) => `${command} ${option}`)]
}

describe.skipIf(!hasRedis)('the commands that an outbox sends', () => {
  it('are all of Redis 6.2 or older', async () => {
    const { redis, segment, app, process } = await fleet()
    const lines = await monitored(redis.port)
    await segment.stop()
    const first = await process({ maxCalls: 30 })
    await first.trackMany(20)
    await vi.waitUntil(async () => (await waiting(app)) >= 20)
    const web = await process({ maxCalls: 30 }, { delivery: { send: false } })
    await web.trackMany(20)
    await web.tracking.flush()
    await first.tracking.shutdown({ timeout: 500 })
    await segment.start()
    const second = await process()
    await segment.waitFor(20)
    await second.tracking.flush()
    await app.send('ACL', 'SETUSER', 'default', '-xadd')
    await second.trackMany(5)
    await vi.waitUntil(() => second.tracking.health().lastError !== undefined)
    await app.send('ACL', 'SETUSER', 'default', '+xadd')
    await vi.waitUntil(() => second.tracking.health().lastError === undefined)
    await app.send('DEL', await streamOf(app))
    await second.trackMany(5)
    await second.tracking.flush()
    await second.tracking.shutdown()
    const sent = new Set(lines.flatMap(namesOf))
    expect([...sent].filter((command) => SINCE[command] === undefined)).toEqual([])
    const numbers = [...sent].map((command) => (SINCE[command] ?? '').split('.').map(Number))
    expect(numbers.filter(([major = 0, minor = 0]) => major > 6 || (major === 6 && minor > 2))).toEqual([])
    // It has seen what matters.
    expect([...sent]).toEqual(
      expect.arrayContaining([
        'XADD',
        'XREADGROUP',
        'XAUTOCLAIM',
        'XCLAIM',
        'XTRIM MINID',
        'XADD NOMKSTREAM',
      ]),
    )
  }, 20_000)
})
