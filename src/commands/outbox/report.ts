import { wallTime } from '../../support/clock.js'
import type { Look, Part } from './target.js'

/** What an outbox has, as lines. No personal data is in them. */
export function reportOf({ partsAre, parts, held, aside }: Look): string[] {
  const calls = parts.reduce((all, part) => all + part.calls, 0)
  const set = [...aside.values()].reduce((all, count) => all + count, 0)
  const holds = held === 0 ? '' : `, ${held} of them in the hands of processes`
  const lines = [
    `${counted(calls, 'call')} ${calls === 1 ? 'waits' : 'wait'} in ${counted(parts.length, partsAre)}${holds}, ${set} ${set === 1 ? 'is' : 'are'} kept aside`,
  ]
  for (const part of parts) lines.push(partLine(part), ...part.notes.map((note) => `    ${note}`))
  for (const [why, count] of aside) lines.push(`  kept aside: ${count} ${why}`)
  return lines
}

/** A number and its noun. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

function partLine({ name, calls, bytes, oldestAt, writeKeyHashes }: Part): string {
  const size = bytes === undefined ? '' : `, ${(bytes / 1024).toFixed(1)} KB`
  const since =
    oldestAt === undefined ? '' : `, the oldest since ${new Date(oldestAt).toISOString()} (${age(oldestAt)})`
  const key =
    calls === 0 || writeKeyHashes.length === 0 ? '' : `, write key ${writeKeyHashes.join(' and ')} (SHA-256)`
  return `  ${name}: ${counted(calls, 'call')}${size}${since}${key}`
}

function age(since: number): string {
  const minutes = Math.max(0, Math.round((wallTime() - since) / 60_000))
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`
}
