import { describe, expect, it } from 'vitest'
import type { Reader } from '../../src/index.js'
import { type Framework, frameworks, type Handle, site } from './site.js'

// Databases give ids as bigint (node-postgres, Prisma): 64 bits do not fit a number. Wherever an id comes in, they are
// taken as the built-in readers take them.
const id = 9_007_199_254_740_993n
const text = '9007199254740993'

const read: Reader<bigint> = () => id
const headers = { cookie: 'ajs_anonymous_id=v-1' }

async function callsOf(
  framework: Framework,
  config: Parameters<typeof site>[1],
  act: (tracker: Parameters<Handle>[0]['tracker']) => void,
) {
  const { visit } = await site(framework, config, ({ tracker, send }) => {
    act(tracker)
    send('text/plain', 'ok')
  })
  return (await visit('/', headers)).calls
}

describe.each(frameworks.slice(1, 2))('in $name, a bigint is an id', (framework) => {
  it('of an own reader', async () => {
    const calls = await callsOf(framework, { request: { userId: read, anonymousId: [read] } }, (tracker) => {
      tracker.track('page read')
    })
    expect(calls).toMatchObject([{ userId: text, anonymousId: text }])
  })

  it('of an asynchronous reader', async () => {
    const calls = await callsOf(framework, { request: { userId: async () => id } }, (tracker) => {
      tracker.track('page read')
    })
    expect(calls).toMatchObject([{ userId: text, anonymousId: 'v-1' }])
  })

  it('of signed-in users', async () => {
    const { visit } = await site(framework, {}, ({ tracker, signIn, send }) => {
      signIn({ id })
      tracker.track('page read')
      send('text/plain', 'ok')
    })
    expect((await visit('/', headers)).calls).toMatchObject([{ userId: text }])
  })

  it('in tracker.user(), identify(), group(), alias() and an event of its own user', async () => {
    const calls = await callsOf(framework, {}, (tracker) => {
      Reflect.apply(tracker.user, tracker, [{ id, session: id }])
      tracker.track('page read')
      tracker.track('order complete', {}, { user: { id } })
      Reflect.apply(tracker.identify, tracker, [id, { plan: 'team' }])
      Reflect.apply(tracker.group, tracker, [id])
      Reflect.apply(tracker.alias, tracker, [id])
    })
    expect(calls).toMatchObject([
      { type: 'track', userId: text, anonymousId: text },
      { type: 'track', userId: text },
      { type: 'identify', userId: text, traits: { plan: 'team' } },
      { type: 'group', groupId: text },
      { type: 'alias', previousId: text },
    ])
  })

  it('of a mapping', async () => {
    const calls = await callsOf(
      framework,
      {
        settings: { userId: { fn: () => id } },
        mapping: { team: { join: { settings: { group: { map: { groupId: { fn: () => id } } } } } } },
      },
      (tracker) => {
        tracker.track('team join', {})
      },
    )
    expect(calls).toMatchObject([
      { type: 'group', userId: text, groupId: text },
      { type: 'track', userId: text },
    ])
  })
})
