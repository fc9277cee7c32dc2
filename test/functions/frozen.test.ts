import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { segmentServer } from '../support/servers.js'
import type { LambdaOptions, Wait } from './fixtures/lambda.js'
import { type Adapter, adapters, JOB } from './fixtures/lambda-functions.js'
import type { VercelOptions } from './fixtures/vercel.js'
import { countsOf, startFunction } from './frozen-process.js'

/** How many had arrived when the process froze with its first answer, and when it did with its second one. */
const arrivals: readonly (readonly [Wait, number, number])[] = [
  // First, so that what comes late has the time to: it arrives while the process is asked again.
  ['nobody', 0, 0],
  ['`await tracking.flush()` in the handler', 0, 1],
  ['`await req.tracker.flush()` in the handler', 1, 2],
  ['`await tracking.flush()` when the handler has answered', 1, 2],
  ['`waitUntil`, and the function waits for what it was given', 1, 2],
]
const names = [...Object.keys(adapters), JOB].filter(
  (name): name is Adapter => name in adapters || name === JOB,
)

it('is in the documentation with the figures that are measured here', () => {
  const page = readFileSync(new URL('../../docs/functions.md', import.meta.url), 'utf8')
  const [, table = ''] = page.split('<!-- frozen -->')
  const rows = [...table.matchAll(/^\| (.+?) \| (\d) of 1 \|/gm)].map(([, wait, count]) => [
    wait,
    Number(count),
  ])
  expect(rows).toEqual(arrivals.map(([wait, first]) => [wait, first]))
})

describe('a process that is frozen with its answer, as Lambda’s', () => {
  it.each(names)('%s: has sent what it waited for, and no more', async (adapter) => {
    const segment = await segmentServer()
    const waits = arrivals.map(([wait]) => wait)
    const options: LambdaOptions = { segment: segment.url, adapter, waits }
    const lambda = startFunction('lambda', options, segment)
    const measured: (readonly [Wait, number, number])[] = []
    for (const wait of waits) {
      const first = await lambda.frozen()
      lambda.thaw()
      const second = await lambda.frozen()
      lambda.thaw()
      measured.push([wait, first[wait] ?? 0, second[wait] ?? 0])
    }
    expect(measured).toEqual(arrivals)
    expect(await lambda.exited).toMatchObject({ code: 0 })
    // Thawed for long enough, nothing is lost, and nothing came twice: it was late.
    expect(countsOf(segment)).toEqual(Object.fromEntries(waits.map((wait) => [wait, 2])))
    expect(segment.duplicates).toEqual([])
  })

  it('has lost what nobody waited for when it is not asked again', async () => {
    const segment = await segmentServer()
    const options: LambdaOptions = { segment: segment.url, adapter: 'serverless-http', waits: ['nobody'] }
    const lambda = startFunction('lambda', options, segment)
    await lambda.frozen()
    lambda.kill()
    await lambda.exited
    expect(segment.received).toBe(0)
  })
})

describe('a process that is frozen when all that it handed to waitUntil is done, as Vercel’s', () => {
  it('has sent everything: page views, and what is tracked after the answer, too', async () => {
    const segment = await segmentServer()
    const options: VercelOptions = { segment: segment.url, waits: ['nobody', 'waitUntil'] }
    const vercel = startFunction('vercel', options, segment)
    const arrived = []
    for (let answer = 0; answer < 4; answer++) {
      arrived.push(await vercel.frozen())
      vercel.thaw()
    }
    const [first, second, third, fourth] = arrived
    expect([first, second]).toEqual([{}, {}])
    const whole = {
      'waitUntil, in the handler': 1,
      'waitUntil, after the answer': 1,
      'page /waitUntil': 1,
    }
    expect(third).toMatchObject(whole)
    expect(third).not.toHaveProperty('page /waitUntil/page')
    expect(fourth).toMatchObject({ ...whole, 'page /waitUntil/page': 1 })
    expect(await vercel.exited).toMatchObject({ code: 0 })
    expect(countsOf(segment)).toMatchObject({ 'page /nobody': 1, 'page /nobody/page': 1 })
    expect(segment.duplicates).toEqual([])
  })
})
