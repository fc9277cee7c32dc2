import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { startRedisServer } from '../../scripts/redis-server.js'
import { createSegmentServer } from '../../src/testing/index.js'
import type { VisitEnd, VisitOptions } from './visits.js'

const PROCESSES = 4
const PEOPLE = 1_000
const ROUNDS = 10
const CLAIM_AFTER_MS = 1_000

/** Whether people are remembered by all processes, and whether one of them is killed. */
export interface PeopleCase {
  readonly name: string
  readonly isShared: boolean
  readonly kills: boolean
}

/** The ways in which a fleet remembers people. */
export const peopleCases: readonly PeopleCase[] = [
  { name: 'people: each process remembers by itself', isShared: false, kills: false },
  { name: 'people: one memory', isShared: true, kills: false },
  { name: 'people: one memory, kill -9 of a process', isShared: true, kills: true },
]

/** What a case has come to. */
export interface PeopleResult {
  readonly name: string
  readonly events: number
  readonly identifies: number
  readonly problems: readonly string[]
}

/** Lets everybody visit every process, and counts how often Segment is told of whom. */
export async function runPeopleCase(which: PeopleCase, file: string): Promise<PeopleResult> {
  const segment = await createSegmentServer()
  const redis = await startRedisServer()
  try {
    const ends = await Promise.all(
      Array.from({ length: PROCESSES }, (_, index) =>
        visit(
          {
            segment: segment.url,
            redis: which.isShared ? redis.url : undefined,
            people: PEOPLE,
            rounds: ROUNDS,
            claimAfter: CLAIM_AFTER_MS,
          },
          file,
          which.kills && index === 0,
        ),
      ),
    )
    const told = segment.calls.filter(({ type }) => type === 'identify').map(({ userId }) => userId)
    const expected = which.isShared ? PEOPLE : PEOPLE * PROCESSES
    const isExact = !which.kills && ends.every((end) => end?.wasAsked === true)
    return {
      name: which.name,
      events: segment.calls.filter(({ type }) => type === 'track').length,
      identifies: told.length,
      problems: [
        ...(new Set(told).size < PEOPLE
          ? [`${PEOPLE - new Set(told).size} people were never identified`]
          : []),
        ...(isExact && told.length !== expected ? [`${told.length} identifies, expected ${expected}`] : []),
        ...(told.length > PEOPLE * PROCESSES ? ['more identifies than without a memory'] : []),
      ],
    }
  } finally {
    await segment.close()
    await redis.stop()
  }
}

/** @returns What the process tells at its end; `undefined` where it was killed. */
async function visit(options: VisitOptions, file: string, isKilled: boolean): Promise<VisitEnd | undefined> {
  const child = spawn(process.execPath, [file], {
    env: { ...process.env, VISITS: JSON.stringify(options) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let end: VisitEnd | undefined
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith('{')) end = JSON.parse(line)
    // In its first round, with claims open.
    else if (isKilled) setTimeout(() => child.kill('SIGKILL'), 20 + Math.random() * 200)
  }
  if (!end && !isKilled) throw new Error('a process has ended before it was done')
  return end
}
