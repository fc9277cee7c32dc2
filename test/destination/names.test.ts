import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { DroppedEvent, Rules } from '../../src/index.js'
import type { SegmentServer } from '../../src/testing/index.js'
import { requestsOf, segmentServer, trackingTo, visitor } from '../support/servers.js'

/** Tracks names in one request, and tells what Segment got and what was dropped. */
async function trackedNames(names: readonly string[], mapping?: Rules) {
  const segment = await segmentServer()
  const drops: DroppedEvent[] = []
  const errors: string[] = []
  const tracking = trackingTo(segment, {
    ...(mapping && { mapping }),
    include: ['event'],
    request: { context: false },
    on: { dropped: (dropped) => drops.push(dropped) },
    logger: { handler: (_level, message) => errors.push(message) },
  })
  const inRequest = await requestsOf(tracking)
  await inRequest((tracker) => {
    for (const name of names) tracker.track(name)
  }, visitor('s1'))
  await tracking.flush()
  const sent = tracksOf(segment).map(({ event, properties }) => ({
    name: event,
    entity: properties?.event_entity,
    action: properties?.event_action,
  }))
  return { sent, drops, errors, stats: tracking.stats() }
}

function tracksOf({ calls }: SegmentServer) {
  return calls.filter((call) => call.type === 'track')
}

/** The name that a rule gives is its key, so that the call tells which rule was taken. */
function rulesWith(keys: Readonly<Record<string, readonly string[]>>): Rules {
  return Object.fromEntries(
    Object.entries(keys).map(([entity, actions]) => [
      entity,
      Object.fromEntries(actions.map((action) => [action, { name: `${entity} > ${action}` }])),
    ]),
  )
}

async function ruleOf(name: string, keys: Readonly<Record<string, readonly string[]>>): Promise<unknown> {
  const { sent } = await trackedNames([name], rulesWith(keys))
  return sent[0]?.name
}

describe('the name of an event', () => {
  it.each([
    ['invite_sent', 'invite_sent', ''],
    ['Subscribed', 'Subscribed', ''],
    ['order complete', 'order', 'complete'],
    ['Checkout Step Viewed', 'Checkout', 'Step Viewed'],
    ['order  complete', 'order', 'complete'],
    [' complete', 'complete', ''],
    ['order\tcomplete ', 'order', 'complete'],
    ['walker', 'walker', ''],
    ['注文 完了', '注文', '完了'],
  ])(
    '%j arrives as it is, with its first word as entity and the rest as action',
    async (name, entity, action) => {
      const { sent } = await trackedNames([name])
      expect(sent).toEqual([{ name, entity, action }])
    },
  )

  it('has up to 255 characters, however long each is in a string', async () => {
    const names = ['a'.repeat(255), '🛒'.repeat(255)]
    const { sent, drops } = await trackedNames(names)
    expect(sent.map(({ name }) => name)).toEqual(names)
    expect(drops).toEqual([])
  })

  it.each([
    ['', 'is empty'],
    [' ', 'white space alone'],
    ['\t\n ', 'white space alone'],
    ['a'.repeat(256), 'is too long'],
    ['🛒'.repeat(256), 'is too long'],
    ['walker user', 'is a walkerOS command'],
    [' walker  consent', 'is a walkerOS command'],
  ])('is not %j', async (name, why) => {
    const { sent, drops, errors, stats } = await trackedNames([name])
    expect(sent).toEqual([])
    expect(drops.map(({ reason }) => reason)).toEqual(['invalid'])
    expect(errors.join()).toContain(why)
    expect(stats.events).toMatchObject({ tracked: 1, open: 0, dropped: { invalid: 1 } })
  })

  it('is any other string', async () => {
    const names = fc
      .string({ unit: 'grapheme', minLength: 1, maxLength: 100 })
      .filter((name) => name.trim() !== '' && !name.trim().startsWith('walker'))
    const { tracking, segment, inRequest } = await shop()
    await fc.assert(
      fc.asyncProperty(fc.array(names, { minLength: 1, maxLength: 20 }), async (tracked) => {
        const before = segment.calls.length
        await inRequest((tracker) => {
          for (const name of tracked) tracker.track(name)
        }, visitor('s1'))
        await tracking.flush()
        const arrived = tracksOf(segment).slice(before)
        expect(arrived.map(({ event }) => event)).toEqual(tracked)
      }),
      { numRuns: 20 },
    )
  })
})

async function shop() {
  const segment = await segmentServer()
  const tracking = trackingTo(segment, { request: { context: false } })
  return { segment, tracking, inRequest: await requestsOf(tracking) }
}

describe('the rule of a name', () => {
  it('is the one of its entity and whole action', async () => {
    const keys = { Checkout: ['Step', 'Step Viewed', 'Step Completed', '*'] }
    expect(await ruleOf('Checkout Step Viewed', keys)).toBe('Checkout > Step Viewed')
    expect(await ruleOf('Checkout Step Completed', keys)).toBe('Checkout > Step Completed')
  })

  it('is then the one of its first two words, as in walkerOS', async () => {
    const keys = { Checkout: ['Step', 'Step Viewed', '*'], '*': ['*'] }
    expect(await ruleOf('Checkout Step Skipped', keys)).toBe('Checkout > Step')
  })

  it('is then the one of `*`', async () => {
    expect(await ruleOf('Checkout Step Skipped', { Checkout: ['Started', '*'], '*': ['*'] })).toBe(
      'Checkout > *',
    )
    expect(await ruleOf('Checkout Step Skipped', { Checkout: ['Started'], '*': ['*'] })).toBe('* > *')
    expect(await ruleOf('Cart Step Viewed', { Checkout: ['*'], '*': ['Step Viewed', 'Step', '*'] })).toBe(
      '* > Step Viewed',
    )
    expect(await ruleOf('Cart Step Viewed', { Checkout: ['*'], '*': ['Step', '*'] })).toBe('* > Step')
  })

  it('of a single word is the one of `*` below it', async () => {
    expect(await ruleOf('Subscribed', { Subscribed: ['*'], '*': ['*'] })).toBe('Subscribed > *')
    expect(await ruleOf('Subscribed', { subscribed: ['*'], '*': ['*'] })).toBe('* > *')
    expect(await ruleOf('Subscribed', { subscribed: ['*'] })).toBe('Subscribed')
  })

  it('is found whatever white space is between the words', async () => {
    expect(await ruleOf('order  complete', { order: ['complete', '*'] })).toBe('order > complete')
    expect(await ruleOf(' complete', { complete: ['*'] })).toBe('complete > *')
  })

  it('counts as left out where it is `undefined`', async () => {
    const order: Rules[string] = { '*': { name: 'Any' } }
    const { sent } = await trackedNames(['order complete'], {
      order: Object.assign(order, { complete: undefined }),
    })
    expect(sent[0]?.name).toBe('Any')
  })
})
