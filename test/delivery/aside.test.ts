import { mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { fileOutbox } from '../../src/delivery/outbox/file.js'
import { readAside } from '../../src/delivery/outbox/inspection.js'
import { segmentServer } from '../support/servers.js'
import { delivering, temporaryDirectory } from './delivering.js'

const DAY_MS = 24 * 60 * 60 * 1_000
const ago = (days: number) => new Date(Date.now() - days * DAY_MS)
const line = (days: number) => `${JSON.stringify({ reason: 'rejected', at: ago(days), type: 'track' })}\n`

/** Runs a process with an outbox whose directory has these files, each with the days since it was changed. */
async function running(files: Record<string, { text: string; days: number }>): Promise<string> {
  const segment = await segmentServer()
  const directory = temporaryDirectory()
  mkdirSync(directory)
  for (const [name, { text, days }] of Object.entries(files)) {
    const path = join(directory, name)
    if (name.endsWith('.broken')) mkdirSync(path)
    else writeFileSync(path, text)
    utimesSync(path, ago(days), ago(days))
  }
  const { tracking, trackMany } = await delivering(segment, {
    delivery: { outbox: fileOutbox({ directory }) },
  })
  await trackMany(1)
  await tracking.flush()
  await tracking.shutdown()
  return directory
}

describe('what is set aside', () => {
  it('is kept while it is young', async () => {
    const directory = await running({
      'aside.jsonl': { text: line(14) + line(1), days: 1 },
      '1700000000000-1-00000000.broken': { text: '', days: 29 },
    })
    expect(readdirSync(directory).sort()).toEqual(['1700000000000-1-00000000.broken', 'aside.jsonl'])
  })

  it('is put aside again when its first call has half the age, so that new ones outlive it', async () => {
    const text = line(16) + line(2)
    const directory = await running({ 'aside.jsonl': { text, days: 2 } })
    expect(readdirSync(directory)).toEqual(['aside.1.jsonl'])
    expect(readFileSync(join(directory, 'aside.1.jsonl'), 'utf8')).toBe(text)
    expect(await readAside(directory)).toHaveLength(2)
  })

  it('is removed after thirty days', async () => {
    const directory = await running({
      'aside.1.jsonl': { text: line(30) + line(16), days: 16 },
      'aside.jsonl': { text: line(14), days: 14 },
      '1700000000000-1-00000000.broken': { text: '', days: 31 },
    })
    expect(readdirSync(directory)).toEqual(['aside.jsonl'])
  })

  it('is removed when no process ran for long', async () => {
    const directory = await running({ 'aside.jsonl': { text: line(60) + line(40), days: 40 } })
    expect(readdirSync(directory)).toEqual([])
  })

  it('is not taken for older than it is where a line has no time', async () => {
    const directory = await running({ 'aside.jsonl': { text: 'nonsense\n', days: 0 } })
    expect(readdirSync(directory)).toEqual(['aside.jsonl'])
  })
})
