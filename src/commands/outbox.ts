import { readAside, readStores } from '../delivery/outbox/inspection.js'
import { CommandError } from './command-error.js'

/**
 * Runs `npx reqtrack outbox DIRECTORY`: prints what waits in an outbox, and what is kept aside.
 *
 * @param options - `export`: every call as a line of JSON instead of the counts.
 */
export async function outbox(
  operands: readonly string[],
  options: { readonly export?: boolean | undefined },
): Promise<number> {
  const [directory, ...more] = operands
  if (directory === undefined || more.length > 0) throw new CommandError('outbox takes one directory')
  const stores = await readStores(directory)
  const aside = await readAside(directory)
  if (options.export) {
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
    return 0
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
  return 0
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function age(since: number): string {
  const minutes = Math.max(0, Math.round((Date.now() - since) / 60_000))
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
