import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { vi } from 'vitest'
import type { ReceivedCall, SegmentServer } from '../../src/testing/index.js'
import { type Child, startChild } from '../shutdown/child.js'

/** A function's process, which freezes itself with each answer. */
export interface FrozenProcess {
  /** Resolves when it is frozen for the next time, with how often each event has arrived until then. */
  frozen(): Promise<Counts>
  /** As the platform does when it asks the function again. */
  thaw(): void
  /** As the platform does with one that it does not need any more. */
  kill(): void
  readonly exited: Child['exited']
}

/** How often each event has arrived. */
export type Counts = Readonly<Record<string, number>>

/** Starts a fixture of this folder. */
export function startFunction(fixture: string, options: object, segment: SegmentServer): FrozenProcess {
  const child = startChild(fileURLToPath(new URL(`fixtures/${fixture}.ts`, import.meta.url)), options)
  let answers = 0
  return {
    async frozen() {
      answers += 1
      await child.tell('done', answers)
      // A signal that thaws a process before it is frozen would be lost.
      await vi.waitUntil(() => isStopped(child.pid), { timeout: 10_000, interval: 10 })
      return countsOf(segment)
    },
    thaw: () => void child.signal('SIGCONT'),
    kill: () => void child.signal('SIGKILL'),
    exited: child.exited,
  }
}

/** How often each event has arrived; a page view is known by its path. */
export function countsOf({ calls }: SegmentServer): Counts {
  const counts: Record<string, number> = {}
  for (const call of calls) {
    const name = call.type === 'track' ? call.event : `page ${pathOf(call)}`
    counts[name] = (counts[name] ?? 0) + 1
  }
  return counts
}

function pathOf({ context }: ReceivedCall): unknown {
  const page: object = context?.page ?? {}
  return 'path' in page ? page.path : undefined
}

function isStopped(pid: number): boolean {
  if (process.platform !== 'linux') {
    return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8' }).startsWith('T')
  }
  return /\) T /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
}
