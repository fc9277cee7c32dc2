import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createHttp2Server, createSecureServer } from 'node:http2'
import { createServer as createHttpsServer } from 'node:https'
import express from 'express'
import express4 from 'express4'
import fc from 'fast-check'
import Koa from 'koa'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { SignalOptions, Tracking } from '../../src/index.js'
import { segmentServer, trackingTo } from '../support/servers.js'

/** Calls the method as JavaScript can, and checks that a refusal leaves no handler behind. */
async function hookWith(...given: unknown[]): Promise<unknown> {
  const tracking = trackingTo(await segmentServer())
  const before = process.listenerCount('SIGTERM')
  try {
    const off = Reflect.apply(tracking.shutdownOnSignals, tracking, given)
    onTestFinished(off)
    return undefined
  } catch (error) {
    expect(process.listenerCount('SIGTERM')).toBe(before)
    return error
  }
}

const server = createServer()
const applications = { 'Express 5': express(), 'Express 4': express4(), 'Koa 3': new Koa() }

describe('shutdownOnSignals()', () => {
  it.each([
    ['a server', server, 'was given a server; write shutdownOnSignals({ server })'],
    ['a server of HTTP/2', createHttp2Server(), 'was given a server; write shutdownOnSignals({ server })'],
    ['Express', applications['Express 5'], 'was given a function; expected options, such as { server }'],
    ['Koa', applications['Koa 3'], 'was given an application; expected options'],
    ['a promise', Promise.resolve(server), 'was given a promise; expected options'],
    ['an array', [server], 'was given an array; expected options, such as { server: app.listen(3000) }'],
    ['null', null, 'was given null; expected options, such as { server }, or nothing'],
    ['a number', 5_000, 'was given a number; expected options'],
    ['a text', 'SIGTERM', 'was given a string; expected options'],
    ['a misspelt option', { timout: 5 }, 'unknown option "timout", did you mean timeout?'],
    ['several servers', { servers: [server] }, 'unknown option "servers", did you mean server?'],
    ['what throws when it is read', throwing(), 'that throws when it is read'],
    [
      'a list without an end',
      { signals: Object.assign([], { length: 4_000_000_000 }) },
      'was a list of 4000000000',
    ],
    [
      'servers without an end',
      { server: Object.assign([], { length: 4_000_000_000 }) },
      'was a list of 4000000000',
    ],
    ['another option', { onShutdown() {} }, 'unknown option "onShutdown", known are server, signals'],
  ])('refuses %s in place of its options', async (_what, given, message) => {
    const error = await hookWith(given)
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ message: expect.stringContaining(message) })
  })

  it.each([
    ['an Express 5 application', applications['Express 5'], 'an application', 'app.listen(3000)'],
    ['an Express 4 application', applications['Express 4'], 'an application', 'app.listen(3000)'],
    ['a Koa application', applications['Koa 3'], 'an application', 'app.listen(3000)'],
    ['what Koa makes of its application', new Koa().callback(), 'a function', 'createServer(handler)'],
    [
      'an application of Nest',
      { listen() {}, close() {}, getHttpServer() {} },
      'an application',
      'getHttpServer()',
    ],
    ['an application of Fastify', { server, listen() {}, close() {} }, 'an object with a server', '`server`'],
    ['a server of sockets', socketServer(), 'an object with a server', '`httpServer`'],
    ['a promise of a server', Promise.resolve(server), 'a promise', 'await it'],
    ['what only looks like a promise', thenable(), 'a promise', 'await it'],
    ['an object that cannot be closed', new EventEmitter(), 'an object that is no server', 'node:http'],
    ['an object without events', { close() {} }, 'an object that is no server', 'node:http'],
    ['an object that throws', throwing(), 'an object that is no server', 'node:http'],
    ['null', null, 'null', 'node:http'],
    ['a port', 3_000, 'a number', 'node:http'],
    ['an address', 'http://127.0.0.1:3000', 'a string', 'node:http'],
  ])('refuses %s as server, alone and among others', async (_what, given, what, fix) => {
    const alone = await hookWith({ server: given })
    expect(alone).toBeInstanceOf(TypeError)
    expect(alone).toMatchObject({ message: expect.stringContaining(`server was ${what}; expected a server`) })
    expect(alone).toMatchObject({ message: expect.stringContaining(fix) })
    const among = await hookWith({ server: [server, given] })
    expect(among).toBeInstanceOf(TypeError)
    expect(among).toMatchObject({ message: expect.stringContaining(`server[1] was ${what}; expected`) })
  })

  it('refuses an empty place in a list, and a list in a list', async () => {
    expect(await hookWith({ server: [undefined] })).toMatchObject({
      message: expect.stringContaining('server[0] was undefined'),
    })
    expect(await hookWith({ server: [[server]] })).toMatchObject({
      message: expect.stringContaining('server[0] was an array'),
    })
  })

  it.each([['SIGTERM'], [null], [{ 0: 'SIGTERM' }]])('refuses %j as signals', async (signals) => {
    expect(await hookWith({ signals })).toMatchObject({
      message: expect.stringContaining("expected a list, such as ['SIGTERM']"),
    })
  })

  it.each([
    ['nothing', []],
    ['undefined', [undefined]],
    ['no options', [{}]],
    ['options that are undefined', [{ server: undefined, signals: undefined, timeout: undefined }]],
    ['a server', [{ server }]],
    ['no servers', [{ server: [] }]],
    [
      'servers of every kind',
      [{ server: [server, createHttpsServer(), createHttp2Server(), createSecureServer()] }],
    ],
  ])('takes %s', async (_what, given) => {
    expect(await hookWith(...given)).toBeUndefined()
  })

  it('refuses whatever else it is given with a TypeError', async () => {
    const tracking = trackingTo(await segmentServer())
    const listeners = process.listenerCount('SIGTERM')
    fc.assert(
      fc.property(fc.anything(), fc.constantFrom('options', 'server', 'list'), (value, place) => {
        if (value === undefined || (Array.isArray(value) && value.length === 0)) return
        if (place === 'options' && isEmptyRecord(value)) return
        const given = place === 'options' ? value : { server: place === 'list' ? [value] : value }
        expect(() => Reflect.apply(tracking.shutdownOnSignals, tracking, [given])).toThrow(TypeError)
      }),
    )
    expect(process.listenerCount('SIGTERM')).toBe(listeners)
  })

  it('has types that refuse a server in place of the options, and an application in place of a server', () => {
    const compiled = (tracking: Tracking) => {
      // @ts-expect-error A server is no options.
      tracking.shutdownOnSignals(server)
      // @ts-expect-error Nor is one of HTTP/2.
      tracking.shutdownOnSignals(createHttp2Server())
      // @ts-expect-error Nor is one that is still to come.
      tracking.shutdownOnSignals(Promise.resolve(server))
      // @ts-expect-error Nor are several.
      tracking.shutdownOnSignals([server])
      // @ts-expect-error Nor is an application.
      tracking.shutdownOnSignals(applications['Express 5'])
      // @ts-expect-error Whichever.
      tracking.shutdownOnSignals(applications['Koa 3'])
      // @ts-expect-error An application is no server.
      tracking.shutdownOnSignals({ server: applications['Express 5'] })
      // @ts-expect-error Nor is one of Koa.
      tracking.shutdownOnSignals({ server: applications['Koa 3'] })
      // @ts-expect-error Nor is a promise.
      tracking.shutdownOnSignals({ server: Promise.resolve(server) })
      // @ts-expect-error Not in a list either.
      tracking.shutdownOnSignals({ server: [server, applications['Express 5']] })
      // @ts-expect-error There is no such option.
      tracking.shutdownOnSignals({ servers: [server] })
      // @ts-expect-error And no server in a variable for options.
      const options: SignalOptions = server
      tracking.shutdownOnSignals(options)
      tracking.shutdownOnSignals({ server: applications['Express 5'].listen(0) })
      tracking.shutdownOnSignals({ server: applications['Koa 3'].listen(0) })
      tracking.shutdownOnSignals({ server: [server, createHttp2Server()] as const, signals: ['SIGHUP'] })
    }
    expect(compiled).toBeTypeOf('function')
  })
})

/** As Socket.IO's looks: it has events and can be closed, but its connections are not those of the server. */
function socketServer(): object {
  return Object.assign(new EventEmitter(), { close() {}, listen() {}, httpServer: server })
}

function thenable(): object {
  return Object.fromEntries([['then', () => {}]])
}

function throwing(): object {
  return new Proxy(
    {},
    {
      get() {
        throw new Error('nobody looks')
      },
    },
  )
}

function isEmptyRecord(value: unknown): boolean {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && Object.keys(value).length === 0
  )
}
