import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { Outbox } from '../../src/index.js'
import { createRelay } from '../../src/relay/index.js'
import { delivering } from '../delivery/delivering.js'
import { segmentServer } from '../support/servers.js'
import { emptyTable, tableOutbox } from '../support/table-outbox.js'

/** As `Promise.withResolvers()`, which Node has from 22 on. */
function withResolvers() {
  let resolve = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

/** An outbox whose first look for calls is answered when it is told to. */
function slowToLook(outbox: Outbox) {
  const looks = withResolvers()
  const answers = withResolvers()
  const slow: Outbox = {
    ...outbox,
    async open(session) {
      const opened = await outbox.open(session)
      const take = opened.take.bind(opened)
      opened.take = async (...given) => {
        looks.resolve()
        await answers.promise
        return take(...given)
      }
      return opened
    },
  }
  return { slow, looked: looks.promise, answer: () => answers.resolve() }
}

it('leaves to other relays what it is handed after its shutdown has ended every call', async () => {
  const segment = await segmentServer()
  const table = emptyTable()
  const settings = { writeKey: 'k', host: segment.url }
  const writer = await delivering(segment, {
    settings,
    delivery: { outbox: tableOutbox(table), send: false },
  })
  await writer.trackMany(3)
  await writer.tracking.shutdown()

  const { slow, looked, answer } = slowToLook(tableOutbox(table))
  const relay = createRelay({ settings, outbox: slow })
  await relay.flush({ timeout: 1 })
  await looked
  // The client is closed when every call has ended, and before the outbox is.
  const close = relay.segment.closeAndFlush.bind(relay.segment)
  relay.segment.closeAndFlush = async (options) => {
    answer()
    for (let turn = 0; turn < 5; turn++) await nextTurn()
    return close(options)
  }
  expect(await relay.shutdown()).toMatchObject({ delivered: 0, pending: 0, kept: 0 })
  expect(relay.stats().calls).toMatchObject({ made: 0, pending: 0 })

  const other = createRelay({ settings, outbox: tableOutbox(table) })
  await other.flush()
  expect(await other.shutdown()).toMatchObject({ delivered: 3, pending: 0 })
  expect(segment.duplicates).toEqual([])
})
