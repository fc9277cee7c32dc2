import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { fileOutbox } from '../../src/delivery/outbox/file.js'
import type { OpenOutbox, Outbox, StoredCall } from '../../src/index.js'
import { checkOutbox } from '../../src/testing/index.js'
import { temporaryDirectory } from '../delivery/delivering.js'
import { changed } from '../support/outboxes.js'
import { emptyTable, type Table, tableOutbox } from '../support/table-outbox.js'

/** Short, since a table in memory has what it has at once. */
const SHORT = { takeoverMs: 300, settleMs: 30, answerMs: 1_000 }

/** How an outbox breaks its contract: what its methods become, of those of one that keeps it. */
type Break = (kept: OpenOutbox, table: Table) => Partial<OpenOutbox>

function broken(breaks: Break): () => Outbox {
  const table = emptyTable()
  return () => changed(tableOutbox(table), (opened) => breaks(opened, table))
}

const BROKEN: readonly (readonly [name: string, breaks: Break, says: RegExp])[] = [
  [
    'forgets every tenth call',
    ({ write }) => ({
      write: (calls, room) =>
        write(
          calls.filter((_, index) => index % 10 !== 9),
          room,
        ),
    }),
    /order.*missing/s,
  ],
  [
    'hands calls out twice',
    (_kept, table) => ({
      take: async (most) =>
        table.rows.slice(0, most).map((row) => ({ ...row.call, receipt: row.id, isOwn: true })),
    }),
    /no call to two processes/,
  ],
  [
    'hands out the newest first',
    ({ take }, table) => ({
      async take(most) {
        table.rows.reverse()
        const taken = await take(most)
        table.rows.reverse()
        return taken
      },
    }),
    /not the one that was written as such/,
  ],
  [
    'mixes write keys',
    (_kept, table) => ({
      take: async (most) =>
        table.rows
          .filter(({ holder }) => holder === undefined)
          .slice(0, most)
          .map((row) => {
            row.holder = table
            return { ...row.call, receipt: row.id, isOwn: true }
          }),
    }),
    /write keys apart/,
  ],
  [
    'changes a text',
    ({ write }) => ({
      write: (calls, room) =>
        write(
          calls.map((call) => ({ ...call, text: call.text.replace('漢', '?') })),
          room,
        ),
    }),
    /another text/,
  ],
  [
    'hands out more than there is room for',
    ({ write }) => ({ write: (calls) => write(calls, calls.length) }),
    /room/,
  ],
  ['settles nothing', () => ({ settle: async () => {} }), /forgets what is settled/],
  [
    'settles more than it was told',
    (_kept, table) => ({
      async settle(receipts) {
        const most = Math.max(...receipts.map(Number))
        table.rows = table.rows.filter(({ id }) => id > most)
      },
    }),
    /forgets what is settled, and nothing else/,
  ],
  [
    'takes with it what it holds when it is closed',
    (_kept, table) => ({
      async close() {
        table.rows = table.rows.filter(({ holder }) => holder === undefined)
      },
    }),
    /leaves to others/,
  ],
  [
    'never says that there is something to take',
    (_kept, table) => ({
      async close() {
        for (const row of table.rows) row.holder = undefined
      },
    }),
    /ready\(\) was not called/,
  ],
  [
    'throws for a receipt that it knows no more',
    ({ settle }, table) => ({
      async settle(receipts) {
        if (receipts.some((receipt) => !table.rows.some(({ id }) => id === receipt)))
          throw new Error('no such row')
        return settle(receipts)
      },
    }),
    /no such row/,
  ],
  [
    'erases everybody',
    (_kept, table) => ({
      async erase() {
        const erased = table.rows.length
        table.rows = []
        return { erased, held: 0 }
      },
    }),
    /erases what waits of a person/,
  ],
  [
    'keeps what was set aside of an erased person',
    ({ erase }, table) => ({
      async erase(whose) {
        const aside = table.aside.splice(0)
        const done = await erase(whose)
        table.aside.push(...aside)
        return done
      },
    }),
    /1 set aside/,
  ],
  ['never answers', () => ({ take: () => new Promise(() => {}) }), /has not settled within/],
  [
    'says that all calls are its own',
    ({ take }) => ({ take: async (most) => (await take(most)).map((call) => ({ ...call, isOwn: true })) }),
    /said to be its own/,
  ],
]

describe('checkOutbox', () => {
  it('is green for the plainest outbox, and says what it had no means to check', async () => {
    const table = emptyTable()
    const report = await checkOutbox(() => tableOutbox(table), SHORT)
    expect(report.kept.length).toBeGreaterThan(9)
    expect(report.leftOut).toEqual([
      'says what it gives up for want of room',
      'loses nothing with a killed process',
      'takes no failure for a success, and goes on after it',
    ])
  })

  it('is green for fileOutbox, a killed process included', async () => {
    const directory = temporaryDirectory()
    vi.stubEnv('CHECKED_OUTBOX', directory)
    vi.stubEnv('NODE_OPTIONS', '--import tsx')
    onTestFinished(() => void vi.unstubAllEnvs())
    const { leftOut } = await checkOutbox(() => fileOutbox({ directory }), {
      module: fileURLToPath(new URL('fixtures/file-outbox.ts', import.meta.url)),
    })
    expect(leftOut).not.toContain('loses nothing with a killed process')
  }, 60_000)

  it.each(BROKEN)(
    'is red for an outbox that %s',
    async (_name, breaks, says) => {
      await expect(checkOutbox(broken(breaks), SHORT)).rejects.toThrow(says)
    },
    30_000,
  )

  it('is red for an outbox that says of a failed write that it has succeeded', async () => {
    let isAway = false
    const table = emptyTable()
    const make = () =>
      changed(tableOutbox(table), ({ write }) => ({
        write: (calls, room) => (isAway ? Promise.resolve([]) : write(calls, room)),
      }))
    const fault = {
      begin() {
        isAway = true
      },
      end() {
        isAway = false
      },
    }
    await expect(checkOutbox(make, { ...SHORT, fault })).rejects.toThrow(/calls are missing after a fault/)
  })

  it('is red for an outbox that gives up silently for want of room', async () => {
    const table = emptyTable()
    const make = () =>
      changed(tableOutbox(table), ({ write }) => ({
        async write(calls: readonly StoredCall[], room: number) {
          const taken = await write(calls, room)
          table.rows.splice(0, Math.max(0, table.rows.length - 10))
          return taken
        },
      }))
    await expect(checkOutbox(make, { ...SHORT, maxCalls: 10 })).rejects.toThrow(/said to be evicted/)
  })

  it('loses nothing to a killed process, or is red', async () => {
    const module = `data:text/javascript,${encodeURIComponent(`
      export const make = () => ({
        limits: { commitInterval: 0, commitAt: 1 },
        open: async () => ({ write: async () => [], take: async () => [], close: async () => {} }),
      })`)}`
    const table = emptyTable()
    await expect(
      checkOutbox(() => tableOutbox(table), { ...SHORT, answerMs: 10_000, module }),
    ).rejects.toThrow(/a killed process had written: 20 of 20 calls are missing/)
  })

  it('refuses what is no maker, no outbox and no option', async () => {
    await expect(checkOutbox(JSON.parse('{}'))).rejects.toThrow(/expected a function that makes the outbox/)
    await expect(checkOutbox(() => JSON.parse('{}'))).rejects.toThrow(/makes no outbox/)
    const wrong = JSON.parse('{ "takeover": 5 }')
    await expect(checkOutbox(() => tableOutbox(emptyTable()), wrong)).rejects.toThrow(
      /did you mean takeoverMs/,
    )
  })
})
