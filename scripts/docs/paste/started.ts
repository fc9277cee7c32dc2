import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

const END_MS = 3_000

/** A command of a page that goes on, as in a terminal of its own. */
export interface Started {
  /** What it has written so far, to standard output and standard error. */
  output(): string
  /** Whether it has ended by itself with a failure. */
  failed(): boolean
  /** Waits until `file` is there or the command has ended. */
  until(file: string, timeout: number): Promise<boolean>
  end(): Promise<void>
}

/** Starts a line of a shell. */
export function start(line: string, cwd: string, env: NodeJS.ProcessEnv): Started {
  // A group of its own: npx and tsx start others.
  const child = spawn('bash', ['-c', `exec 2>&1\n${line}`], {
    cwd,
    env,
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let written = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    written += text
  })
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  return {
    output: () => written,
    failed: () => child.exitCode !== null && child.exitCode !== 0,
    async until(file, timeout) {
      for (const end = performance.now() + timeout; performance.now() < end; await setTimeout(15)) {
        if (existsSync(file) || hasEnded()) return true
      }
      return false
    },
    end: () => endOf(child, hasEnded),
  }
}

async function endOf(child: ChildProcess, hasEnded: () => boolean): Promise<void> {
  const { pid } = child
  if (pid === undefined || hasEnded()) return
  const closed = once(child, 'close')
  process.kill(-pid, 'SIGTERM')
  const timer = new AbortController()
  await Promise.race([closed, setTimeout(END_MS, undefined, { signal: timer.signal }).catch(() => undefined)])
  timer.abort()
  if (hasEnded()) return
  process.kill(-pid, 'SIGKILL')
  await closed
}
