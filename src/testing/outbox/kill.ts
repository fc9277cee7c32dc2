import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'
import type { StoredCall } from '../../delivery/outbox/outbox.js'
import { type Bench, promiseSame } from './bench.js'

/** What the process does: it writes, holds some of it, says so, and waits to be killed. */
const SCRIPT = `
const [module, given] = process.argv.slice(1)
const { writeKeyHash, calls, room } = JSON.parse(given)
const { make } = await import(module)
const nothing = () => {}
const session = {
  writeKeyHash, sends: true, ready: nothing, troubled: nothing, owed: (calls) => calls, problem: nothing, lost: nothing,
  warn: nothing, relayed: nothing, robbed: nothing, gone: nothing, trimmed: nothing, evicted: nothing,
}
const outbox = await (await make()).open(session)
await outbox.write(calls, room)
console.log('written')
setInterval(nothing, 1000)
`

/** Kills a process between its write and the outcome of what it wrote: another one gets every call. */
export async function afterKill(bench: Bench): Promise<void> {
  const calls = bench.calls(20)
  await writeAndDie(bench, calls, 10)
  const next = await bench.open()
  const taken = [...(await bench.takeAll(next, calls.length)), ...(await bench.takeRest(next))]
  promiseSame(taken, calls, 'what a killed process had written')
}

async function writeAndDie(bench: Bench, calls: readonly StoredCall[], room: number): Promise<void> {
  const { options, writeKeyHash } = bench
  const { module = '' } = options
  const url = /^(file|data):/.test(module) ? module : pathToFileURL(module).href
  const given = JSON.stringify({ writeKeyHash, calls, room })
  const child = spawn(
    process.execPath,
    [...process.execArgv, '--input-type=module', '--eval', SCRIPT, url, given],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  try {
    await bench.inTime(
      new Promise<void>((resolve, reject) => {
        createInterface({ input: child.stdout }).once('line', () => resolve())
        void gone.then(() => reject(new Error('the process has ended before it had written its calls')))
      }),
      'a write in a process of its own',
    )
  } finally {
    child.kill('SIGKILL')
    await gone
  }
}
