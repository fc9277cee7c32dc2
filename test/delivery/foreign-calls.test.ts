import { describe, expect, it, vi } from 'vitest'
import { watchProcess } from '../hostile/harm.js'
import { segmentServer } from '../support/servers.js'
import { emptyTable, type Row, tableOutbox } from '../support/table-outbox.js'
import { arrived, delivering, expectBalance } from './delivering.js'

const ID = 'm-foreign'

/** The params of a call, some of which are to be other ones; `undefined` leaves one out. */
function textWith(changes: Readonly<Record<string, unknown>> = {}): string {
  const params = { userId: 'u-1', event: 'E', messageId: ID, timestamp: new Date(), properties: { index: 7 } }
  return JSON.stringify({ ...params, ...changes })
}

/** A table with two calls of a process that only writes; the second one is then changed, as if somebody else had written it. */
async function changedTable(change: object) {
  const segment = await segmentServer()
  const table = emptyTable()
  const web = await delivering(segment, { delivery: { outbox: tableOutbox(table), send: false } })
  await web.trackMany(2)
  await web.tracking.shutdown()
  const [, second] = table.rows
  if (!second) throw new Error('the table has no second call')
  const call = { ...second.call, messageId: ID, text: textWith(), ...change }
  table.rows = table.rows.map((row): Row => (row === second ? { ...row, call } : row))
  return { segment, table, call, outbox: tableOutbox(table) }
}

describe('an outbox that hands out what somebody else has written', () => {
  it('has a call delivered that is one', async () => {
    const { segment, outbox } = await changedTable({})
    const { tracking } = await delivering(segment, { delivery: { outbox } })
    await segment.waitFor(2)
    expect(arrived(segment)).toEqual([0, 7])
    expect(segment.calls[1]?.messageId).toBe(ID)
    await tracking.shutdown()
  })

  describe.each([
    ['no JSON', { text: 'nonsense' }],
    ['half of its JSON', { text: textWith().slice(0, 40) }],
    ['params that are nothing', { text: 'null' }],
    ['params that are a list', { text: '[{"userId":"u-1"}]' }],
    ['params that are a text', { text: '"text"' }],
    ['a messageId that its params do not have', { messageId: 'm-other' }],
    ['params without a messageId', { text: textWith({ messageId: undefined }) }],
    ['params with a messageId that is no text', { messageId: '7', text: textWith({ messageId: 7 }) }],
    ['an empty messageId', { messageId: '', text: textWith({ messageId: '' }) }],
    ['a messageId that is longer than Segment takes', longId()],
    ['a type that there is not', { type: 'alias2' }],
    ['a type that every object has', { type: 'toString' }],
    ['a type that its params are not of', { text: textWith({ event: undefined }) }],
    ['params of nobody', { text: textWith({ userId: undefined }) }],
    ['params of somebody who is no text', { text: textWith({ userId: 7 }) }],
  ])('a call with %s', (_name, change) => {
    it.each([
      ['in batches', false],
      ['one by one, since somebody looks on', true],
    ])('is refused and set aside, and goes to Segment under no other name: %s', async (_how, isSeen) => {
      const { harm } = watchProcess()
      const { segment, table, call, outbox } = await changedTable(change)
      const { tracking } = await delivering(segment, { delivery: { outbox } })
      if (isSeen) tracking.segment.on('track', () => {})
      await segment.waitFor(1)
      await vi.waitUntil(() => tracking.stats().calls.failed.rejected === 1)
      await tracking.flush()
      expect(arrived(segment)).toEqual([0])
      expect(tracking.stats().calls).toMatchObject({ delivered: 1, pending: 0 })
      expect(table.aside).toMatchObject([{ messageId: call.messageId, text: call.text }])
      expect(await tracking.shutdown()).toMatchObject({ pending: 0 })
      expect(table.rows).toEqual([])
      expectBalance(tracking)
      expect(harm).toEqual([])
    })
  })
})

function longId() {
  const messageId = 'm'.repeat(101)
  return { messageId, text: textWith({ messageId }) }
}
