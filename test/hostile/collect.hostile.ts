import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type CollectOptions, expressCollect } from '../../src/frameworks/express.js'
import { createExpressApp } from '../collect/application.js'
import { endpoint } from '../collect/endpoint.js'
import { holds } from './generated.js'
import { expectBooksBalance, watchProcess } from './harm.js'

/** Whatever a browser may be made to name. */
const names = fc.constantFrom(
  'product view',
  'page view',
  '__proto__',
  'constructor',
  'walker run',
  '',
  ' ',
  'x'.repeat(300),
)
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    names,
    fc.string({ unit: 'binary' }),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.constantFrom('2999-01-01T00:00:00Z', 8.64e15, -1, 1e308, 'x'.repeat(40_000)),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(names, fc.string()), tie('value'), { maxKeys: 4 }),
  ),
})).value

const members = [
  'name',
  'event',
  'type',
  'data',
  'properties',
  'traits',
  'context',
  'nested',
  'user',
  'userId',
  'anonymousId',
  'groupId',
  'previousId',
  'consent',
  'timestamp',
  'sentAt',
  'id',
  'messageId',
  'trigger',
  'timing',
  'category',
  'integrations',
  'batch',
]
const event = fc.dictionary(fc.constantFrom(...members), values, { maxKeys: 8 })
const bodies = fc.oneof(
  event.map((each) => JSON.stringify(each)),
  fc.array(fc.oneof(event, values), { maxLength: 12 }).map((each) => JSON.stringify(each)),
  fc
    .record({ batch: fc.array(event, { maxLength: 12 }), sentAt: values })
    .map((each) => JSON.stringify(each)),
  fc.string({ unit: 'binary' }),
  fc.nat(100_000).map((depth) => `${'['.repeat(depth)}${']'.repeat(depth)}`),
  fc.nat(20_000).map((count) => JSON.stringify(Array(count).fill({}))),
)
const paths = fc.oneof(
  fc.constantFrom(
    '',
    '/',
    '/t',
    '/p',
    '/i',
    '/g',
    '/s',
    '/a',
    '/b',
    '/m',
    '/v1/t',
    '/v1/batch',
    '//',
    '/%00',
    '/t/../b',
  ),
  fc.webPath(),
)
const queries = fc.oneof(
  fc.constant(''),
  fc.webQueryParameters().map((query) => `?${query}`),
  fc.constantFrom('?name=x&a[b][c]=1&a=2&a[]=3', '?[]=1', '?a[0][__proto__]=1'),
)
const types = fc.constantFrom(
  'application/json',
  'text/plain;charset=UTF-8',
  'application/json; charset="utf-16"',
  'image/gif',
  ';;;',
  undefined,
)
const encodings = fc.constantFrom(undefined, undefined, 'gzip', 'identity', 'br', 'gzip, gzip')

const options: CollectOptions = {
  events: 'any',
  traits: ['plan', '__proto__'],
  groups: () => ['G-1', 'product view'],
  groupTraits: ['constructor'],
  anonymousId: 'body',
  limit: false,
}

describe('an endpoint for browsers', () => {
  it.each([
    { parser: 'no body parser', hasParser: false },
    { parser: 'express.json()', hasParser: true },
  ])(
    'answers whatever it is sent, behind $parser, says nothing of it and loses nothing silently',
    async ({ hasParser }) => {
      const { harm } = watchProcess()
      const { send, tracking, segment, logged } = await endpoint({
        options,
        config: {
          settings: { consent: { marketing: 'Advertising', analytics: 'Advertising' } },
          // Nobody can grant anything here, which the self-check would say.
          validate: false,
        },
        app: (mounted) => createExpressApp(hasParser, expressCollect(mounted.tracking, mounted.options)),
      })
      await holds(
        fc.asyncProperty(
          fc.constantFrom('POST', 'POST', 'POST', 'GET', 'OPTIONS', 'PUT'),
          paths,
          queries,
          bodies,
          types,
          encodings,
          async (method, path, query, body, type, encoding) => {
            const headers = { 'content-type': type, 'content-encoding': encoding }
            const { status } = await send(`${path}${query}`, {
              method,
              headers,
              body: method === 'GET' ? undefined : body,
            })
            expect([200, 204, 400, 404, 405, 413, 415]).toContain(status)
            await tracking.flush()
            expect(harm).toEqual([])
            expect(logged).toEqual([])
            expect(segment.rejected).toEqual([])
            expect(Reflect.get({}, 'polluted')).toBeUndefined()
            expectBooksBalance(tracking)
          },
        ),
        300,
      )
      expect(segment.received).toBeGreaterThan(0)
    },
  )
})
