import { describe, expect, it } from 'vitest'
import { parseCookies } from '../../src/request/cookies.js'
import { readLocale } from '../../src/request/network.js'
import { costly, full, ordinary, qualities } from './costly.js'
import { everything, type Given, inProcess } from './in-process.js'

describe('a request that is made to cost', () => {
  const RUNS = 100
  /**
   * In process, an ordinary event costs a fifth of what it does with its delivery, and hostile bytes cost as much as ever.
   * What worked on all of them anew for each of them cost a hundred times as much as the event.
   */
  const MOST = 10

  const measured = () => {
    const run = inProcess({ ...everything, skip: [], pageViews: false })
    const once = async (given: Given) => {
      const before = process.cpuUsage()
      for (let time = 0; time < RUNS; time++) await run(given)
      const { user, system } = process.cpuUsage(before)
      return (user + system) / RUNS
    }
    return async (given: Given) => {
      let least = Number.POSITIVE_INFINITY
      for (let time = 0; time < 3; time++) least = Math.min(least, await once(given))
      return least
    }
  }

  it.each(costly)('with %s costs little more than an ordinary one', async (_, headers, url) => {
    const costOf = measured()
    const hostile = { url: url ?? ordinary.url ?? '/', headers: { ...ordinary.headers, ...headers } }
    await costOf(ordinary)
    await costOf(hostile)
    // Whoever else uses the machine: the best of some tries counts.
    let ratio = Number.POSITIVE_INFINITY
    for (let time = 0; time < 5 && ratio > MOST; time++) {
      ratio = Math.min(ratio, (await costOf(hostile)) / (await costOf(ordinary)))
    }
    expect(ratio).toBeLessThan(MOST)
  })
})

describe('a header', () => {
  const fastest = (work: () => void) => {
    let least = Number.POSITIVE_INFINITY
    for (let time = 0; time < 200; time++) {
      const start = performance.now()
      work()
      least = Math.min(least, performance.now() - start)
    }
    return least
  }

  it.each([';', '=', 'a=b;', '"', '%', '; ', 'a;', '=;', 'a=b; ', ' ', ','])(
    'of 15 KB of %s as cookies is parsed in a fifth of a millisecond',
    (part) => {
      const header = full(part)
      expect(fastest(() => parseCookies(header))).toBeLessThan(0.2)
    },
  )

  it('of languages is read without exceptions', () => {
    let thrown = 0
    const { getCanonicalLocales } = Intl
    Intl.getCanonicalLocales = (tags) => {
      try {
        return getCanonicalLocales(tags)
      } catch (error) {
        thrown++
        throw error
      }
    }
    try {
      for (const header of [
        full('x,'),
        full('a-b-c,'),
        qualities(() => 'de-1996-1996'),
        qualities(() => 'en-u'),
        qualities(() => 'en-u-x-a'),
        qualities(() => 'i-klingon'),
        qualities(() => 'en-a-b'),
        qualities(() => 'abcd-US'),
        qualities(() => 'en-x'),
      ]) {
        expect(readLocale(header)).toBeUndefined()
      }
      expect(readLocale('x-, de-1996-1996, en-u-co, EN-us;q=0.5')).toBe('en-u-co')
      expect(thrown).toBe(0)
    } finally {
      Intl.getCanonicalLocales = getCanonicalLocales
    }
  })
})
