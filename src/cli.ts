#!/usr/bin/env node
import { readFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'

const USAGE = `reqtrack: look at what a tracking sends, at what it keeps, and at what it should send

  npx reqtrack sink [--port 8787]            a local Segment endpoint that prints calls as they come
  npx reqtrack outbox DIRECTORY [--export]   what waits in an outbox, and what is kept aside
                                             --export writes every call as a line of JSON
  npx reqtrack plan types FILE [--out FILE]  the events of a tracking plan as TypeScript
  npx reqtrack plan check FILE               what is wrong with a tracking plan: exits with 1 if anything is
                                             --config FILE    also rules of its mapping that lead nowhere
                                             --events FILE    also names of events, one a line, that nothing knows
                                             --allow-unenforced    what cannot be enforced is no fault

  npx reqtrack --version

  A tracking plan is Segment's export, or a walkerOS contract: of several contracts in a file --contract NAME.`

process.exitCode = await run(process.argv.slice(2))

async function run(args: string[]): Promise<number> {
  try {
    if (args[0] === 'plan') {
      const { planCommand } = await import('./plan/command/command.js')
      return await planCommand(args.slice(1), USAGE)
    }
    const { positionals, values } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        port: { type: 'string' },
        export: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    })
    const [command, operand, ...more] = positionals
    if (values.help) console.log(USAGE)
    else if (values.version) console.log(await version())
    else if (command === 'sink' && operand === undefined) await sink(portOf(values.port ?? '8787'))
    else if (command === 'outbox' && operand !== undefined && more.length === 0) {
      await outbox(operand, values.export === true)
    } else {
      console.error(USAGE)
      return 2
    }
    return 0
  } catch (error) {
    console.error(`reqtrack: ${error instanceof Error ? error.message : error}`)
    return 1
  }
}

function portOf(text: string): number {
  const port = Number(text)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port
  throw new Error(`--port is an integer from 0 to 65535; given ${JSON.stringify(text)}`)
}

async function sink(port: number): Promise<void> {
  const { createSegmentServer, formatCall } = await import('./testing/index.js')
  const server = await createSegmentServer({
    port,
    record: false,
    onCall: (call) => console.log(formatCall(call)),
  })
  console.error(`Listening on ${server.url}: set settings.host to it. Ctrl+C ends it.`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())
}

async function outbox(directory: string, isExport: boolean): Promise<void> {
  const { readAside, readStores } = await import('./delivery/outbox/inspection.js')
  const stores = await readStores(directory)
  const aside = await readAside(directory)
  if (isExport) {
    for (const { calls } of stores) {
      for (const { type, messageId, madeAt, writeKeyHash, text } of calls) {
        const head = JSON.stringify({
          state: 'waiting',
          madeAt: new Date(madeAt),
          writeKeyHash,
          type,
          messageId,
        })
        console.log(`${head.slice(0, -1)},"params":${text}}`)
      }
    }
    for (const { line } of aside) console.log(`{"state":"aside",${line.slice(1)}`)
    return
  }
  const waiting = stores.reduce((count, { calls }) => count + calls.length, 0)
  const wait = waiting === 1 ? 'waits' : 'wait'
  const are = aside.length === 1 ? 'is' : 'are'
  const where = counted(stores.length, 'store')
  console.log(`${counted(waiting, 'call')} ${wait} in ${where}, ${aside.length} ${are} kept aside`)
  for (const { name, calls } of stores) {
    const bytes = calls.reduce((size, { text }) => size + Buffer.byteLength(text), 0)
    const [oldest] = calls
    const since = oldest
      ? `, the oldest since ${new Date(oldest.madeAt).toISOString()} (${age(oldest.madeAt)})`
      : ''
    const keys = new Set(calls.map(({ writeKeyHash }) => writeKeyHash ?? 'unknown'))
    const key = oldest ? `, write key ${[...keys].join(' and ')} (SHA-256)` : ''
    console.log(`  ${name}: ${counted(calls.length, 'call')}, ${(bytes / 1024).toFixed(1)} KB${since}${key}`)
  }
  const reasons = new Map<string, number>()
  for (const { reason, detail } of aside) {
    const why = detail ? `${reason} (${detail})` : reason
    reasons.set(why, (reasons.get(why) ?? 0) + 1)
  }
  for (const [why, count] of reasons) console.log(`  kept aside: ${count} ${why}`)
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

async function version(): Promise<string> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8')
  const { version }: { version?: unknown } = JSON.parse(text)
  return String(version)
}

function age(since: number): string {
  const minutes = Math.max(0, Math.round((Date.now() - since) / 60_000))
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
