// Holds the installed package to its promises on a runtime: drive.mjs <binary> [arguments]. The applications run there,
// each in a process of its own; this script and the local Segment endpoint run on Node.
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { createSegmentServer } from 'reqtrack/testing'

const [binary, ...parameters] = process.argv.slice(2)
const application = fileURLToPath(new URL('application.mjs', import.meta.url))
const PEOPLE = 60
/** A busy machine takes long: nothing here is a measure of speed. */
const WAIT_MS = 60_000
const ATTEMPTS = 10
const ON_DISK_WITHIN_MS = 3_000
const all = JSON.stringify({ analytics: true, marketing: false })
/** Applications that have not been ended, which a failed case leaves behind. */
const running = new Set()
const agent = new Agent({ keepAlive: true, maxSockets: 20 })

/** Starts an application on the runtime. `said(text)` resolves when it has printed a line that begins so. */
async function start(kind, segment, environment = {}) {
  const child = spawn(binary, [...parameters, application, kind], {
    env: { ...process.env, SEGMENT_HOST: segment.url, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 150_000,
    killSignal: 'SIGKILL',
  })
  running.add(child)
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })
  const said = (text) =>
    new Promise((resolve, reject) => {
      lines.on('line', (line) => line.startsWith(text) && resolve(line.slice(text.length)))
      ended.then(([code, signal]) =>
        reject(new Error(`it ended (${code ?? signal}) and has not said ${text}`)),
      )
    })
  const port = Number(await said('listening '))
  return { port, said, ended, kill: (signal) => child.kill(signal) }
}

/** Asks an application, by Node's client: it says when a response was cut off. */
function ask(port, path, headers = {}) {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: '127.0.0.1', path, headers, agent }, async (response) => {
      try {
        let body = ''
        for await (const chunk of response.setEncoding('utf8')) body += chunk
        const { date, ...rest } = response.headers
        resolve({ status: response.statusCode, headers: rest, body: JSON.parse(body) })
      } catch (error) {
        reject(error)
      }
    })
    sent.once('error', reject).end()
  })
}

const visitor = (name, consent = all) => ({ 'x-visitor': name, 'x-consent': consent })

const cases = {
  'answers the same as untracked while Segment hangs': async (kind, segment) => {
    segment.respondWith({ hang: true })
    const applications = [await start(kind, segment, { UNTRACKED: '1' }), await start(kind, segment)]
    const answers = []
    for (const { port } of applications) answers.push(await ask(port, '/orders', visitor('v-1')))
    assert.deepEqual(answers[1], answers[0])
    assert.equal(answers[1].status, 201)
    for (const { kill } of applications) kill('SIGKILL')
  },

  'mixes no people up, sends nothing that is refused or unknown, and keeps its books': async (
    kind,
    segment,
  ) => {
    const { port, kill, ended } = await start(kind, segment)
    const consents = [all, JSON.stringify({ analytics: false }), undefined]
    await Promise.all(
      Array.from({ length: PEOPLE }, (_, index) => {
        const consent = consents[index % 3]
        return ask(port, `/orders/${index}`, {
          'x-user': `u-${index}`,
          'x-visitor': `v-${index}`,
          ...(consent && { 'x-consent': consent }),
        })
      }),
    )
    const granted = PEOPLE / 3
    await segment.waitFor(granted * 4, WAIT_MS)
    const { body } = await ask(port, '/stats')
    kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
    assert.equal(segment.calls.length, granted * 4)
    for (const { userId, anonymousId, properties, context } of segment.calls) {
      const index = userId.slice(2)
      assert.equal(index % 3, 0)
      assert.equal(anonymousId, `v-${index}`)
      if (properties.url) assert.equal(properties.url, `/orders/${index}`)
      assert.deepEqual(context.consent.categoryPreferences, { Analytics: true, Advertising: false })
    }
    const { tracked, open, dispatched, dropped } = body.events
    assert.equal(tracked, PEOPLE * 5)
    assert.equal(open, 0)
    assert.equal(dispatched, granted * 4)
    assert.deepEqual([dropped.consent, dropped.invalid], [(PEOPLE - granted) * 4, PEOPLE])
  },

  'counts a request whose client has left, and goes on': async (kind, segment) => {
    const { port, said, kill, ended } = await start(kind, segment)
    const begun = said('slow')
    const sent = request({ port, host: '127.0.0.1', path: '/slow', headers: visitor('v-1') }).on(
      'error',
      () => {},
    )
    sent.end()
    await begun
    sent.destroy()
    await ask(port, '/orders', visitor('v-2'))
    kill('SIGTERM')
    assert.deepEqual(await ended, [0, null])
    assert.equal(segment.calls.filter(({ event }) => event === 'order complete').length, 4)
  },

  'answers an open request after SIGTERM, delivers its event and ends': async (kind, segment) => {
    const { port, said, kill, ended } = await start(kind, segment)
    // One that has spoken and is idle, and one that never speaks: were either waited for, the time would run out.
    await ask(port, '/stats')
    const silent = connect(port, '127.0.0.1').on('error', () => {})
    const begun = said('slow')
    const answered = ask(port, '/slow', visitor('v-1'))
    await begun
    kill('SIGTERM')
    assert.deepEqual((await answered).body, { done: true })
    assert.deepEqual(await ended, [0, null])
    silent.destroy()
    assert.deepEqual(
      segment.calls.map(({ event, anonymousId }) => [event, anonymousId]),
      [['report read', 'v-1']],
    )
  },

  'delivers after a kill what a file outbox has kept': async (kind, segment) => {
    const directory = mkdtempSync(join(tmpdir(), 'reqtrack-runtime-'))
    // On a disk that stands still for seconds calls go on in memory: then it is no test of the outbox.
    let kept
    for (let attempt = 0; !kept && attempt < ATTEMPTS; attempt++) {
      kept = await keep(kind, segment, join(directory, String(attempt)))
    }
    assert.ok(kept, 'the disk stood still again and again')
    segment.clear()
    segment.respondWith('ok')
    const second = await start(kind, segment, { OUTBOX: kept.OUTBOX })
    await segment.waitFor(4, WAIT_MS)
    second.kill('SIGTERM')
    assert.deepEqual(await second.ended, [0, null])
    assert.deepEqual(new Set(segment.calls.map(({ messageId }) => messageId)), kept.messageIds)
    rmSync(directory, { recursive: true })
  },
}

/** Lets an application track while Segment is away, and kills it when its calls are on the disk, if they ever are. */
async function keep(kind, segment, OUTBOX) {
  const messageIds = new Set()
  const allTried = new Promise((resolve) => {
    segment.respondWith((request) => {
      for (const messageId of request.messageIds) messageIds.add(messageId)
      if (messageIds.size === 4) resolve()
      return { status: 503 }
    })
  })
  const first = await start(kind, segment, { OUTBOX })
  await ask(first.port, '/orders', visitor('v-1'))
  await allTried
  // A disk says nothing when it has something.
  const giveUp = Date.now() + ON_DISK_WITHIN_MS
  while (!hasAll(OUTBOX, messageIds) && Date.now() < giveUp) await wait(50)
  first.kill('SIGKILL')
  await first.ended
  return hasAll(OUTBOX, messageIds) ? { OUTBOX, messageIds } : undefined
}

function hasAll(directory, texts) {
  if (!existsSync(directory)) return false
  const files = readdirSync(directory, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  )
  const all = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join('')
  return [...texts].every((text) => all.includes(text))
}

async function hold(kind) {
  for (const [name, run] of Object.entries(cases)) {
    const segment = await createSegmentServer()
    try {
      await run(kind, segment)
      console.log(`ok    ${kind}: ${name}`)
    } catch (error) {
      console.log(`FAIL  ${kind}: ${name}\n${error.stack}`)
      process.exitCode = 1
    } finally {
      await segment.close()
    }
  }
}

await Promise.all(['http', 'express', 'koa'].map(hold))
for (const left of running) left.kill('SIGKILL')
agent.destroy()
