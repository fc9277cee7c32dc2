import { createReadStream } from 'node:fs'
import { appendFile, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { wallTime } from '../../support/clock.js'

/** The file of calls that were set aside, one line of JSON each. */
export const ASIDE_FILE = 'aside.jsonl'
/** The lines before those: the file is put here when its first line has half its age. */
export const OLDER_ASIDE_FILE = 'aside.1.jsonl'
/** The suffix of an unreadable store, which is kept for a person to look at. */
export const BROKEN = '.broken'

/** Both files grow no further. */
const MAX_ASIDE_BYTES = 64 * 1024 * 1024
/** The time stands in the first bytes of a line. */
const HEAD_BYTES = 1_024
/** Thirty days: so long somebody may look at what was set aside, which is personal data. */
const MAX_AGE_MS = 30 * 24 * 60 * 60 * 1_000

/** Adds a line to the file of calls that were set aside, and tells whether there was room. */
export async function addAside(directory: string, line: string, mode: number): Promise<boolean> {
  const file = join(directory, ASIDE_FILE)
  const sizes = await Promise.all([ASIDE_FILE, OLDER_ASIDE_FILE].map((name) => sizeOf(join(directory, name))))
  if (sizes.reduce((all, size) => all + size, 0) > MAX_ASIDE_BYTES) return false
  await appendFile(file, `${line}\n`, { mode })
  return true
}

/** The calls that were set aside, the oldest first. */
export async function asideText(directory: string): Promise<string> {
  const read = (name: string) => readFile(join(directory, name), 'utf8').catch(() => '')
  return (await read(OLDER_ASIDE_FILE)) + (await read(ASIDE_FILE))
}

/**
 * Removes what was set aside thirty days ago. Processes append to the file at any time, so no line is cut out of it: the whole
 * file is renamed when its first line has half of the age, and removed when nothing was added to it for the other half.
 */
export async function removeOldAside(directory: string): Promise<void> {
  const current = join(directory, ASIDE_FILE)
  const older = join(directory, OLDER_ASIDE_FILE)
  await removeUnchanged(older, MAX_AGE_MS / 2)
  const isFree = (await changedAt(older)) === undefined
  if (isFree && (await beganAt(current)) < wallTime() - MAX_AGE_MS / 2) await rename(current, older)
  await removeUnchanged(older, MAX_AGE_MS / 2)
  for (const name of await readdir(directory)) {
    if (name.endsWith(BROKEN)) await removeUnchanged(join(directory, name), MAX_AGE_MS)
  }
}

async function removeUnchanged(path: string, ageMs: number): Promise<void> {
  const changed = await changedAt(path)
  if (changed !== undefined && changed < wallTime() - ageMs) await rm(path, { recursive: true, force: true })
}

/** When a file or directory was changed; `undefined` where there is none. */
async function changedAt(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  )
}

/** When the first line of a file was added. */
async function beganAt(file: string): Promise<number> {
  const line = await firstLine(file)
  if (line === undefined) return Number.POSITIVE_INFINITY
  const at = Date.parse(/"at":"([^"]+)"/.exec(line)?.[1] ?? '')
  return Number.isNaN(at) ? (await stat(file)).birthtimeMs : at
}

async function firstLine(file: string): Promise<string | undefined> {
  try {
    for await (const head of createReadStream(file, { encoding: 'utf8', end: HEAD_BYTES }))
      return String(head)
  } catch {
    // There is none.
  }
  return undefined
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  )
}
