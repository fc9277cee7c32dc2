// Holds web-standard handlers of the installed package to its promises on a runtime: drive.mjs <binary> [arguments]. The
// applications run there, each in a process of its own; this script and the local Segment endpoint run on Node.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { createSegmentServer } from 'reqtrack/testing'

const [binary, ...parameters] = process.argv.slice(2)
const application = fileURLToPath(new URL('application.mjs', import.meta.url))
const PEOPLE = 60
/** A busy machine takes long: nothing here is a measure of speed. */
const WAIT_MS = 60_000
/** What the applications of a case have written to standard error. */
let errors = ''
const granted = JSON.stringify({ analytics: true, marketing: false })

/** Starts an application on the runtime. `said(text)` resolves when it has printed a line that begins so, since the start. */
async function start(kind, segment, environment = {}) {
  const child = spawn(binary, [...parameters, application, kind], {
    env: { ...process.env, SEGMENT_HOST: segment.url, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 150_000,
    killSignal: 'SIGKILL',
  })
  const ended = once(child, 'exit')
  child.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text
  })
  const lines = []
  const output = createInterface({ input: child.stdout }).on('line', (line) => lines.push(line))
  const said = async (text) => {
    const gone = ended.then(([code, signal]) => {
      throw new Error(`it ended (${code ?? signal}) and has not said ${text}`)
    })
    while (!lines.some((line) => line.startsWith(text))) await Promise.race([once(output, 'line'), gone])
    gone.catch(() => {})
    return lines.find((line) => line.startsWith(text)).slice(text.length)
  }
  return { port: Number(await said('listening ')), said, lines, ended, kill: (signal) => child.kill(signal) }
}

/** Asks an application, by Node's client: it says when a response was cut off. */
function ask(port, path, { headers = {}, body, agent = false } = {}) {
  return new Promise((resolve, reject) => {
    const options = { port, host: '127.0.0.1', path, headers, agent, method: body ? 'POST' : 'GET' }
    const sent = request(options, async (response) => {
      try {
        let text = ''
        for await (const chunk of response.setEncoding('utf8')) text += chunk
        const { date: _, ...rest } = response.headers
        resolve({ status: response.statusCode, headers: rest, text })
      } catch (error) {
        reject(error)
      }
    })
    sent.once('error', reject).end(body)
  })
}

const visitor = (name, consent = granted) => ({ 'x-visitor': name, 'x-consent': consent })

const cases = {
  'answers the same as untracked while Segment hangs and readers throw': async (kind, segment) => {
    segment.respondWith({ hang: true })
    const applications = [await start(kind, segment, { UNTRACKED: '1' }), await start(kind, segment)]
    for (const [path, status] of [
      ['/orders', 201],
      ['/thrown', 403],
      ['/stream', 200],
    ]) {
      const answers = []
      for (const { port } of applications) answers.push(await ask(port, path, { headers: visitor('v-1') }))
      assert.deepEqual(answers[1], answers[0])
      assert.equal(answers[1].status, status)
    }
    for (const { kill } of applications) kill('SIGKILL')
  },

  'mixes no people up, sends nothing that is refused or unknown, and keeps its books': async (
    kind,
    segment,
  ) => {
    const { port, lines, kill, ended } = await start(kind, segment)
    const consents = [granted, JSON.stringify({ analytics: false }), undefined]
    await Promise.all(
      Array.from({ length: PEOPLE }, (_, index) => {
        const consent = consents[index % 3]
        const headers = {
          'x-user': `u-${index}`,
          'x-visitor': `v-${index}`,
          ...(consent && { 'x-consent': consent }),
        }
        return ask(port, `/orders/${index}`, { headers, body: `order of ${index}` })
      }),
    )
    const sent = (PEOPLE / 3) * 4
    await segment.waitFor(sent, WAIT_MS)
    const { events, calls } = JSON.parse((await ask(port, '/stats')).text)
    kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
    assert.equal(segment.calls.length, sent)
    for (const { userId, anonymousId, properties, context } of segment.calls) {
      const index = Number(userId.slice(2))
      assert.equal(index % 3, 0)
      assert.equal(anonymousId, `v-${index}`)
      if (properties.body) assert.equal(properties.body, `order of ${index}`)
      if (properties.pathname) assert.equal(properties.pathname, `/orders/${index}`)
      assert.deepEqual(context.consent.categoryPreferences, { Analytics: true, Advertising: false })
      assert.equal(context.ip, '127.0.0.1')
    }
    // One client for all of them: their calls share batches.
    assert.ok(segment.batches.length < PEOPLE, `${segment.batches.length} batches`)
    const { tracked, open, dispatched, dropped } = events
    const dropsCounted = Object.values(dropped).reduce((sum, each) => sum + each)
    assert.deepEqual([tracked, open, dispatched], [PEOPLE * 5, 0, sent])
    assert.deepEqual([dropped.consent, dropped.invalid, dropsCounted], [sent * 2, PEOPLE, PEOPLE * 5 - sent])
    assert.equal(calls.made, sent)
    assert.deepEqual(new Set(lines.slice(1)), new Set(['end 201 false']))
  },

  'sets the cookie of a created id, and knows its visitor by it': async (kind, segment) => {
    const { port, kill, ended } = await start(kind, segment)
    const { headers } = await ask(port, '/orders', { headers: { 'x-consent': granted } })
    const [cookie] = headers['set-cookie'][0].split(';')
    await ask(port, '/orders', { headers: { 'x-consent': granted, cookie } })
    await segment.waitFor(8, WAIT_MS)
    kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
    assert.equal(new Set(segment.calls.map(({ anonymousId }) => anonymousId)).size, 1)
  },

  'ends with the status of a Response that is thrown': async (kind, segment) => {
    const { port, said, kill, ended } = await start(kind, segment)
    await ask(port, '/thrown', { headers: visitor('v-1') })
    await segment.waitFor(1, WAIT_MS)
    assert.equal(await said('end '), '403 false')
    kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
  },

  'counts a request whose client has left, and goes on': async (kind, segment) => {
    const { port, said, kill, ended } = await start(kind, segment)
    const options = { port, host: '127.0.0.1', path: '/slow', headers: visitor('v-1') }
    const sent = request(options).on('error', () => {})
    sent.end()
    await said('slow')
    sent.destroy()
    assert.equal(await said('end '), 'undefined true')
    await ask(port, '/orders', { headers: visitor('v-2') })
    await segment.waitFor(5, WAIT_MS)
    kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
    assert.equal(segment.calls.length, 5)
  },

  'ends a stream with its body where it is told to, and as aborted when its client leaves': async (
    kind,
    segment,
  ) => {
    const { port, said, kill, ended } = await start(kind, segment, { END: 'body' })
    const { text } = await ask(port, '/stream', { headers: visitor('v-1') })
    assert.equal(text, 'one two three')
    assert.equal(await said('end '), '200 false')
    const options = { port, host: '127.0.0.1', path: '/endless', headers: visitor('v-2') }
    const sent = request(options).on('error', () => {})
    const [response] = await once(sent.end(), 'response')
    response.on('error', () => {})
    await once(response, 'data')
    sent.destroy()
    assert.equal(await said('end undefined '), 'true')
    await segment.waitFor(2, WAIT_MS)
    kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
  },

  'answers an open request after SIGTERM, delivers its event and ends': async (kind, segment) => {
    const { port, said, kill, ended } = await start(kind, segment)
    // One connection that has spoken and is idle, and one that never speaks: neither may hold it up.
    const agent = new Agent({ keepAlive: true })
    await ask(port, '/stats', { agent })
    const silent = connect(port, '127.0.0.1').on('error', () => {})
    const answered = ask(port, '/slow', { headers: visitor('v-1') })
    await said('slow')
    kill('SIGTERM')
    assert.deepEqual(JSON.parse((await answered).text), { done: true })
    assert.deepEqual(await ended, [0, null])
    agent.destroy()
    silent.destroy()
    assert.deepEqual(
      segment.calls.map(({ event, anonymousId }) => [event, anonymousId]),
      [['report read', 'v-1']],
    )
  },
}

for (const kind of ['fetch', 'hono']) {
  for (const [name, run] of Object.entries(cases)) {
    const segment = await createSegmentServer()
    errors = ''
    try {
      await run(kind, segment)
      console.log(`ok    ${kind}: ${name}`)
    } catch (error) {
      console.log(`FAIL  ${kind}: ${name}\n${error.stack}\n${errors}`)
      process.exitCode = 1
    } finally {
      await segment.close()
    }
  }
}
