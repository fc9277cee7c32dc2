import { describe, expect, it } from 'vitest'
import type { CollectOptions } from '../../src/frameworks/express.js'
import { endpoint, type Sent } from './endpoint.js'

/** Whatever an attacker would have arrive has this in it. */
const F = 'FORGED'
const uuid = '3f0e2a52-6f3a-4a2e-9f55-0c2f6f5a7b11'
const view = { name: 'product view' }
const viewed = { event: 'product view' }
const evil = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
const noCookie = { cookie: undefined }
const future = '2999-01-01T00:00:00.000Z'

interface Attack {
  readonly attack: string
  readonly path?: string
  readonly headers?: Sent['headers']
  readonly body?: unknown
  readonly options?: CollectOptions
  /** How many calls arrive of it: those that are anybody's to send, with nothing forged in them. */
  readonly arrive: number
}

const attacks: readonly Attack[] = [
  { attack: 'names another user', body: { ...view, user: { id: F } }, arrive: 1 },
  { attack: 'names another session', body: { ...view, user: { session: F } }, arrive: 1 },
  { attack: 'names a device', body: { ...view, user: { device: F, hash: F, email: F } }, arrive: 1 },
  { attack: 'names another userId', path: '/t', body: { ...viewed, userId: F }, arrive: 1 },
  { attack: 'names another anonymousId', path: '/t', body: { ...viewed, anonymousId: F }, arrive: 1 },
  {
    attack: 'names an anonymousId that is no UUID',
    path: '/t',
    headers: noCookie,
    body: { ...viewed, anonymousId: F },
    options: { anonymousId: 'body' },
    arrive: 0,
  },
  {
    attack: 'names an anonymousId although nobody allows it',
    path: '/t',
    headers: noCookie,
    body: { ...viewed, anonymousId: uuid },
    arrive: 0,
  },
  {
    attack: 'identifies as somebody else',
    path: '/i',
    body: { userId: F, traits: { plan: 'free' } },
    options: { traits: ['plan'] },
    arrive: 1,
  },
  {
    attack: 'gives itself a role',
    path: '/i',
    body: { traits: { role: F } },
    options: { traits: ['plan'] },
    arrive: 1,
  },
  {
    attack: 'gives itself traits by their prototype',
    path: '/i',
    body: `{"traits":{"__proto__":{"plan":"${F}"}}}`,
    options: { traits: ['plan'] },
    arrive: 1,
  },
  { attack: 'identifies where nobody may', path: '/i', body: { traits: { role: F } }, arrive: 0 },
  {
    attack: 'identifies by an event',
    body: { name: 'user identify', data: { role: F } },
    options: { events: ['product *'] },
    arrive: 0,
  },
  { attack: 'makes one person of two', path: '/a', body: { previousId: F, userId: F }, arrive: 0 },
  {
    attack: 'makes one person of two in a batch',
    path: '/b',
    body: { batch: [{ type: 'alias', previousId: F, userId: F }] },
    arrive: 0,
  },
  { attack: 'joins a group', path: '/g', body: { groupId: F }, options: { groups: () => 'G-1' }, arrive: 0 },
  { attack: 'joins a group where there are none', path: '/g', body: { groupId: F }, arrive: 0 },
  {
    attack: 'joins a group whose list fails',
    path: '/g',
    body: { groupId: F },
    options: {
      groups: () => {
        throw new Error('away')
      },
    },
    arrive: 0,
  },
  {
    attack: 'renames a group',
    path: '/g',
    body: { groupId: 'G-1', traits: { name: F } },
    options: { groups: () => ['G-1'] },
    arrive: 1,
  },
  { attack: 'grants by keys', body: { ...view, consent: { [F]: true, marketing: true } }, arrive: 1 },
  {
    attack: 'grants by categories',
    path: '/t',
    body: { ...viewed, context: { consent: { categoryPreferences: { [F]: true } } } },
    arrive: 1,
  },
  { attack: 'grants by text', body: { ...view, consent: { [F]: 'true' } }, arrive: 1 },
  { attack: 'is of another origin', headers: evil, body: { name: F }, arrive: 0 },
  {
    attack: 'is of another origin as a picture',
    path: `?name=${F}`,
    headers: { origin: undefined, 'sec-fetch-site': 'cross-site', referer: 'https://evil.example/' },
    arrive: 0,
  },
  {
    attack: 'is typed into an address bar',
    path: `?name=${F}`,
    headers: { origin: undefined, 'sec-fetch-site': 'none' },
    arrive: 0,
  },
  {
    attack: 'is of no origin',
    headers: { origin: 'null', 'sec-fetch-site': 'cross-site' },
    body: { name: F },
    arrive: 0,
  },
  {
    attack: 'names another host',
    headers: { host: F, origin: `https://${F}`, 'sec-fetch-site': undefined },
    body: view,
    options: { origin: 'https://shop.example' },
    arrive: 1,
  },
  { attack: 'tracks what nobody allows', body: { name: F }, options: { events: ['product *'] }, arrive: 0 },
  {
    attack: 'tracks what nobody allows, with a new line',
    body: { name: `product view\n${F}` },
    options: { events: ['product view'] },
    arrive: 0,
  },
  { attack: 'is a command of walkerOS', body: { name: 'walker user', data: { id: F } }, arrive: 0 },
  {
    attack: 'chooses the destinations',
    path: '/t',
    body: { ...viewed, integrations: { All: false, [F]: true } },
    arrive: 1,
  },
  { attack: 'chooses the source', path: '/t', body: { ...viewed, writeKey: F }, arrive: 1 },
  { attack: 'sets globals', body: { ...view, globals: { [F]: F } }, arrive: 1 },
  {
    attack: 'sets custom and source',
    body: { ...view, custom: { [F]: F }, source: { type: F, trace: F } },
    arrive: 1,
  },
  {
    attack: 'sets an address and a browser',
    path: '/t',
    body: { ...viewed, context: { ip: F, userAgent: F, library: { name: F }, [F]: F } },
    arrive: 1,
  },
  {
    attack: 'names a page that is none',
    path: '/t',
    body: { ...viewed, context: { page: { url: `javascript:${F}`, path: F, search: F } } },
    arrive: 1,
  },
  {
    attack: 'names a page with a password',
    path: '/t',
    body: { ...viewed, context: { page: { url: `https://ada:${F}@shop.example/?token=${F}` } } },
    arrive: 1,
  },
  { attack: 'comes from the future', path: '/t', body: { ...viewed, timestamp: future }, arrive: 1 },
  {
    attack: 'writes into every object',
    body: `{"name":"product view","__proto__":{"x":"${F}"},"constructor":{"prototype":{"x":"${F}"}}}`,
    arrive: 1,
  },
  {
    attack: 'writes into every object by an address',
    path: `?name=product%20view&__proto__[x]=${F}&constructor[prototype][x]=${F}&data[__proto__][x]=${F}`,
    arrive: 1,
  },
  { attack: 'is an object where a name is', body: { name: { toString: F }, entity: F }, arrive: 0 },
  { attack: 'is a list where an event is', body: [[[{ name: F }]]], arrive: 0 },
  {
    attack: 'nests events in data',
    body: { ...view, batch: [{ name: F }] },
    options: { events: ['product view'] },
    arrive: 0,
  },
  {
    attack: 'says that it is a bot’s',
    headers: { 'user-agent': `Googlebot ${F}` },
    body: { name: F },
    arrive: 0,
  },
]

describe('an attack', () => {
  it.each(attacks)(
    'that $attack has nothing of it arrive',
    async ({ path = '', headers, body, options, arrive }) => {
      const { send, calls, logged, tracking } = await endpoint({
        options,
        config: {
          settings: { consent: { marketing: 'Advertising' } },
          request: { skip: (request) => request.headers['user-agent']?.includes('bot') },
        },
      })
      await send(path, { headers, body })
      const received = await calls()
      expect(received).toHaveLength(arrive)
      expect(JSON.stringify(received)).not.toContain(F)
      expect(JSON.stringify(received)).not.toContain(future)
      for (const call of received) {
        expect(call).not.toHaveProperty('userId')
        expect(call.anonymousId).toBe('a-1')
        expect(call.context).toMatchObject({ consent: { categoryPreferences: { Advertising: false } } })
      }
      expect(logged.join()).not.toContain(F)
      expect(Reflect.get({}, 'x')).toBeUndefined()
      const { tracked, dispatched, dropped, open } = tracking.stats().events
      const lost = Object.values(dropped).reduce((sum, each) => sum + each, 0)
      expect(dispatched + lost + open).toBe(tracked)
    },
  )
})
