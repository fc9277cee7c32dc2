import type { TakenCall } from '../../delivery/outbox/outbox.js'
import { type Bench, idsOf, pause, promised, promiseSame, receiptsOf } from './bench.js'
import { afterFault } from './fault.js'
import { afterKill } from './kill.js'
import { randomUse } from './random-use.js'

/** One thing that the contract promises, and how that is found out. */
export interface OutboxPromise {
  readonly name: string
  /** Whether it can be checked with the given options; it always can without this. */
  applies?(bench: Bench): boolean
  /** @throws If it does not hold. */
  check(bench: Bench): Promise<void>
}

/** All of them. */
export const promises: readonly OutboxPromise[] = [
  { name: 'gives calls back unchanged', check: givesBackUnchanged },
  { name: 'hands calls out in the order in which they were written', check: keepsOrder },
  { name: 'hands out no more than there is room for, and every call once', check: keepsToRoom },
  { name: 'gives no call to two processes at a time', check: givesNothingTwice },
  { name: 'forgets what is settled, and nothing else', check: forgetsSettled },
  { name: 'leaves to others what a closed process held, and says when it is there', check: isTakenOver },
  { name: 'keeps the calls of write keys apart', check: keepsKeysApart },
  { name: 'hands nothing out again that was set aside and settled', check: setsAside },
  { name: 'erases what waits of a person, and no more', check: erases },
  { name: 'says what it gives up for want of room', applies: isBounded, check: keepsBounds },
  { name: 'agrees with a model, however it is used', check: randomUse },
  {
    name: 'loses nothing with a killed process',
    applies: ({ options }) => options.module !== undefined,
    check: afterKill,
  },
  {
    name: 'takes no failure for a success, and goes on after it',
    applies: ({ options }) => options.fault !== undefined,
    check: afterFault,
  },
]

async function givesBackUnchanged(bench: Bench): Promise<void> {
  const process = await bench.open()
  const calls = [...bench.calls(12), ...bench.calls(1, { properties: { text: 'x'.repeat(31 * 1_024) } })]
  const held = await bench.inTime(process.outbox.write(calls.slice(0, 6), 6), 'write()')
  await bench.leave(process, calls.slice(6))
  const taken = [...held, ...(await bench.takeAll(process, calls.length - held.length))]
  promiseSame(taken, calls, 'after 13 were written')
  const byId = new Map(taken.map((call) => [call.messageId, call]))
  for (const call of calls) {
    const back = byId.get(call.messageId)
    for (const key of ['type', 'madeAt', 'text'] as const)
      promised(back?.[key] === call[key], `a call has come back with another ${key}`)
    promised(back?.isOwn === true, 'a call has come back to the process that wrote it, and isOwn is not true')
  }
}

async function keepsOrder(bench: Bench): Promise<void> {
  const process = await bench.open()
  const calls = bench.calls(60)
  for (let from = 0; from < 60; from += 20) await bench.leave(process, calls.slice(from, from + 20))
  const taken: TakenCall[] = []
  for (const most of [1, 7, 13, 39]) taken.push(...(await bench.inTime(process.outbox.take(most), 'take()')))
  promiseSame(taken, calls, 'after 60 were written')
  const expected = idsOf(calls)
  const wrong = idsOf(taken).findIndex((id, index) => id !== expected[index])
  promised(wrong < 0, `call ${wrong + 1} of 60 is not the one that was written as such`)
}

async function keepsToRoom(bench: Bench): Promise<void> {
  const process = await bench.open()
  const calls = bench.calls(30)
  const held = await bench.inTime(process.outbox.write(calls.slice(0, 10), 4), 'write()')
  promised(held.length <= 4, `write() with room for 4 has handed out ${held.length} calls`)
  const more = await bench.inTime(process.outbox.write(calls.slice(10), 0), 'write()')
  promised(more.length === 0, `write() with no room has handed out ${more.length} calls`)
  const some = await bench.inTime(process.outbox.take(5), 'take()')
  promised(some.length <= 5, `take(5) has handed out ${some.length} calls`)
  const none = await bench.inTime(process.outbox.take(0), 'take()')
  promised(none.length === 0, `take(0) has handed out ${none.length} calls`)
  const rest = await bench.takeAll(process, 30 - held.length - some.length)
  promiseSame(
    [...held, ...some, ...rest, ...(await bench.takeRest(process))],
    calls,
    'all that was handed out',
  )
}

async function givesNothingTwice(bench: Bench): Promise<void> {
  const processes = [await bench.open(), await bench.open(), await bench.open()]
  const calls = bench.calls(90)
  const taken: TakenCall[] = []
  await Promise.all(
    processes.map(async (process, index) => {
      for (let from = index * 30; from < (index + 1) * 30; from += 10) {
        taken.push(...(await bench.inTime(process.outbox.write(calls.slice(from, from + 10), 5), 'write()')))
        taken.push(...(await bench.inTime(process.outbox.take(3), 'take()')))
      }
    }),
  )
  for (const process of processes) taken.push(...(await bench.takeRest(process)))
  promiseSame(taken, calls, 'what three processes were handed out')
}

async function forgetsSettled(bench: Bench): Promise<void> {
  const first = await bench.open()
  const calls = bench.calls(20)
  const held = await bench.inTime(first.outbox.write(calls, 20), 'write()')
  const all = [...held, ...(await bench.takeAll(first, 20 - held.length))]
  const settled = all.filter((_, index) => index % 2 === 0)
  await bench.inTime(first.outbox.settle(receiptsOf(settled)), 'settle()')
  // Twice, as after an answer that was lost.
  await bench.inTime(first.outbox.settle(receiptsOf(settled.slice(0, 3))), 'settle()')
  promiseSame(await bench.takeRest(first), [], 'handed out again to the process that holds them')
  await bench.close(first)
  const second = await bench.open()
  const rest = all.filter((call) => !settled.includes(call))
  const left = [...(await bench.takeAll(second, rest.length)), ...(await bench.takeRest(second))]
  promiseSame(left, rest, 'what was not settled, for the next process')
  await bench.inTime(second.outbox.settle(receiptsOf(left)), 'settle()')
  await bench.close(second)
  promiseSame(await bench.takeRest(await bench.open()), [], 'handed out again after all was settled')
}

async function isTakenOver(bench: Bench): Promise<void> {
  const first = await bench.open()
  const calls = bench.calls(20)
  const held = await bench.inTime(first.outbox.write(calls, 10), 'write()')
  const other = await bench.open()
  // A shared queue gives the other process now what waits; any gives it what is left when the first one ends.
  const early = await bench.takeRest(other)
  for (const call of early)
    promised(!held.some(({ messageId }) => messageId === call.messageId), 'a call has two holders')
  const readies = other.readies
  await bench.close(first)
  promised(
    await bench.until(() => other.readies > readies),
    'session.ready() was not called when a process has left its calls',
  )
  const taken = [...early, ...(await bench.takeAll(other, 20 - early.length))]
  promiseSame(taken, calls, 'what a closed process had')
  promised(
    taken.every(({ isOwn }) => !isOwn),
    'a call of another process is said to be its own',
  )
}

async function keepsKeysApart(bench: Bench): Promise<void> {
  const first = await bench.open()
  const calls = bench.calls(10)
  await bench.leave(first, calls)
  const stranger = await bench.open({ writeKeyHash: `${bench.writeKeyHash}-other` })
  promiseSame(await bench.takeRest(stranger), [], 'handed out to a process of another write key')
  await bench.close(first)
  promiseSame(await bench.takeRest(stranger), [], 'left to a process of another write key')
  promiseSame(await bench.takeAll(await bench.open(), 10), calls, 'left to a process of the same write key')
}

async function setsAside(bench: Bench): Promise<void> {
  const first = await bench.open()
  const calls = bench.calls(4)
  const held = await bench.inTime(first.outbox.write(calls, 4), 'write()')
  const all = [...held, ...(await bench.takeAll(first, 4 - held.length))]
  const [rejected, expired, ...rest] = all
  promised(rejected !== undefined && expired !== undefined, 'calls are missing')
  await bench.inTime(first.outbox.setAside(rejected, 'rejected', '[400] Bad Request'), 'setAside()')
  await bench.inTime(first.outbox.setAside(expired, 'expired', undefined), 'setAside()')
  await bench.inTime(first.outbox.settle([rejected.receipt, expired.receipt]), 'settle()')
  await bench.close(first)
  const next = await bench.open()
  promiseSame(
    [...(await bench.takeAll(next, rest.length)), ...(await bench.takeRest(next))],
    rest,
    'after two of four calls were set aside',
  )
}

async function erases(bench: Bench): Promise<void> {
  const process = await bench.open()
  const held = await bench.inTime(process.outbox.write(bench.calls(1, { userId: 'u-erased' }), 1), 'write()')
  const others = [...bench.calls(3), ...bench.calls(1, { userId: 'u-erased-not' })]
  const gone = [
    ...bench.calls(2, { userId: 'u-erased' }),
    ...bench.calls(1, { userId: undefined, anonymousId: 'a-erased' }),
  ]
  await bench.leave(process, [...others, ...gone])
  const aside = bench.calls(1, { userId: 'u-erased' })
  for (const call of aside)
    await bench.inTime(process.outbox.setAside(call, 'rejected', undefined), 'setAside()')
  const { outbox } = process
  const first = await bench.inTime(outbox.erase({ userId: 'u-erased' }), 'erase()')
  promised(
    first.erased === 3,
    `erase() was to remove 2 waiting calls and 1 set aside, and says ${first.erased}`,
  )
  promised(
    first.held === held.length,
    `erase() was to report ${held.length} held calls, and says ${first.held}`,
  )
  const second = await bench.inTime(outbox.erase({ anonymousId: 'a-erased' }), 'erase()')
  promised(second.erased === 1, `erase() by anonymousId was to remove 1 call, and says ${second.erased}`)
  promiseSame(
    [...(await bench.takeAll(process, others.length)), ...(await bench.takeRest(process))],
    others,
    'after the calls of a person were erased',
  )
}

function isBounded({ options }: Bench): boolean {
  return options.maxCalls !== undefined
}

async function keepsBounds(bench: Bench): Promise<void> {
  const { maxCalls = 1 } = bench.options
  const process = await bench.open()
  const calls = bench.calls(maxCalls * 3)
  for (let from = 0; from < calls.length; from += maxCalls) {
    await bench.leave(process, calls.slice(from, from + maxCalls))
    await pause(bench.options.settleMs)
    await bench.inTime(process.outbox.settle(receiptsOf(process.evicted)), 'settle()')
  }
  const waiting = await bench.takeRest(process)
  promised(waiting.length <= maxCalls, `${waiting.length} calls wait where there is room for ${maxCalls}`)
  promised(waiting.length > 0, 'nothing waits in a full outbox')
  promiseSame([...waiting, ...process.evicted], calls, 'what waits and what was said to be evicted')
}
