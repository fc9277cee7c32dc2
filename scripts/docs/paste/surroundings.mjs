// Loaded into every process that a page starts: each page has its own ports, and no call leaves for Segment.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire, syncBuiltinESMExports } from 'node:module'
import { Server, Socket } from 'node:net'
import { join } from 'node:path'

const folder = process.env.PASTED_STATE ?? ''
const SEGMENT = /\.segment(?:apis)?\.(?:io|com)$/
const FLUSH_INTERVAL_MS = 10_000
const SOONER_MS = 400

/** Ports that a page names are other ones in truth: several pages are tried at once, and a port may be taken. */
function realPort(port) {
  const file = join(folder, String(port))
  return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined
}

/** Servers that were told to listen and do not yet. */
const opening = new Set()

const { listen } = Server.prototype
Server.prototype.listen = function redirected(first, ...rest) {
  const isOptions = typeof first === 'object' && first !== null
  const asked = Number(isOptions ? first.port : first)
  if (!asked) return listen.call(this, first, ...rest)
  opening.add(this)
  this.once('error', () => opening.delete(this))
  const tell = () => {
    writeFileSync(join(folder, String(asked)), String(this.address().port))
    opening.delete(this)
  }
  listen.call(this, isOptions ? { ...first, port: 0 } : 0, ...rest)
  // Without a host the port is there at once, and the next line of the page may ask it.
  if (this.address()) tell()
  else this.once('listening', tell)
  return this
}

const { connect } = Socket.prototype
Socket.prototype.connect = function redirected(...args) {
  // Node's own modules hand on arguments that are in order already, as a list.
  const list = Array.isArray(args[0]) ? args[0] : args
  const [first, second] = list
  const options = typeof first === 'object' ? first : { port: first, host: second }
  const isHere = [undefined, 'localhost', '127.0.0.1'].includes(options?.host ?? undefined)
  const port = isHere ? realPort(options?.port) : undefined
  if (port === undefined) return connect.apply(this, args)
  if (typeof first !== 'object') return connect.call(this, port, ...list.slice(1))
  list[0] = { ...first, port, host: '127.0.0.1' }
  return connect.apply(this, args)
}

const require = createRequire(import.meta.url)
const http = require('node:http')
const https = require('node:https')
const { request } = https
https.request = (url, options, ...rest) => {
  if (!(url instanceof URL) || !SEGMENT.test(url.hostname)) return request(url, options, ...rest)
  const there = `http://127.0.0.1:${realPort('segment')}${url.pathname}`
  return http.request(there, { ...options, agent: undefined }, ...rest)
}

const { fetch } = globalThis
globalThis.fetch = (input, init) => {
  const { hostname, pathname, port } = new URL(input instanceof Request ? input.url : input)
  if (SEGMENT.test(hostname)) {
    return fetch(`http://127.0.0.1:${realPort('segment')}${pathname}`, init)
  }
  const there = /^(?:localhost|127\.0\.0\.1)$/.test(hostname) ? realPort(port) : undefined
  if (there === undefined || input instanceof Request) return fetch(input, init)
  return fetch(String(input).replace(`:${port}`, `:${there}`), init)
}

// Whoever tries a page by hand waits for the batch; here it goes sooner.
const timers = require('node:timers')
for (const name of ['setTimeout', 'setInterval']) {
  const original = timers[name]
  const sooner = (work, delay, ...rest) =>
    original(work, delay === FLUSH_INTERVAL_MS ? SOONER_MS : delay, ...rest)
  timers[name] = globalThis[name] = Object.assign(sooner, original)
}
syncBuiltinESMExports()

// The last line of an application that was pasted: all above it has run.
globalThis.pasted = () => {
  if (opening.size > 0) setImmediate(globalThis.pasted)
  else writeFileSync(join(folder, 'started'), '')
}
