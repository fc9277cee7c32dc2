import { type ChildProcess, spawn } from 'node:child_process'
import { isAbsolute } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished, vi } from 'vitest'
import type { Told } from './fixtures/tell.js'

/** Starting a process takes a fraction of a second, and a hundred times that on a machine that is busy with others. */
const WAIT_MS = 45_000
// For the tests of whichever file imports this: what a process has not told in time has to be said before they end.
vi.setConfig({ testTimeout: WAIT_MS + 15_000, hookTimeout: WAIT_MS + 15_000 })

/** How a process ended. */
export interface Exit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** Of `performance.now()`. */
  readonly at: number
}

/** A process of its own that runs a fixture. */
export interface Child {
  readonly pid: number
  /** What it has told so far, line by line. */
  readonly told: readonly Told[]
  /** All that it wrote to its standard error. */
  stderr(): string
  /** Resolves with the first so many of a kind that it has told, as soon as they are there. */
  tell<T extends Told['type']>(type: T, count?: number): Promise<Extract<Told, { type: T }>[]>
  /** Sends it a signal. Returns when that was, of `performance.now()`. */
  signal(signal: NodeJS.Signals): number
  readonly exited: Promise<Exit>
}

/**
 * Runs a fixture of this folder in a process of its own.
 *
 * @param fixture - Its file's name; or a path, for a file elsewhere.
 * @param options - What the fixture is to do.
 * @param flags - Flags for Node.
 * @param atEnd - When it is killed. Defaults to the end of the test.
 */
export function startChild(
  fixture: string,
  options: object,
  flags: readonly string[] = [],
  atEnd: (kill: () => void) => void = onTestFinished,
): Child {
  const path = isAbsolute(fixture)
    ? fixture
    : fileURLToPath(new URL(`./fixtures/${fixture}`, import.meta.url))
  const child = spawn(process.execPath, [...flags, '--import', 'tsx', path], {
    env: { ...process.env, NODE_OPTIONS: '', FIXTURE: JSON.stringify(options) },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  atEnd(() => {
    child.kill('SIGKILL')
  })
  return watch(child)
}

function watch(child: ChildProcess): Child {
  const told: Told[] = []
  const waiting = new Set<() => void>()
  let stderr = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text
  })
  if (child.stdout) {
    createInterface(child.stdout).on('line', (line) => {
      if (!line.startsWith('{')) return
      told.push(JSON.parse(line))
      for (const check of waiting) check()
    })
  }
  const exited = new Promise<Exit>((resolve) => {
    child.once('exit', () => {
      const at = performance.now()
      // Its last lines come after it.
      child.once('close', (code, signal) => resolve({ code, signal, at }))
    })
  })

  function tell<T extends Told['type']>(type: T, count = 1): Promise<Extract<Told, { type: T }>[]> {
    return new Promise((resolve, reject) => {
      const check = () => {
        const found = told.filter((each): each is Extract<Told, { type: T }> => each.type === type)
        if (found.length < count) return
        leave()
        resolve(found)
      }
      const fail = (why: string) => {
        leave()
        reject(
          new Error(`${why} before it had told ${count} of "${type}".\n${JSON.stringify(told)}\n${stderr}`),
        )
      }
      const timer = setTimeout(fail, WAIT_MS, `${WAIT_MS} ms were over`)
      const leave = () => {
        clearTimeout(timer)
        waiting.delete(check)
      }
      waiting.add(check)
      check()
      void exited.then(({ code, signal }) => {
        if (waiting.has(check)) fail(`the process ended (${code ?? signal})`)
      })
    })
  }

  return {
    pid: child.pid ?? 0,
    told,
    stderr: () => stderr,
    tell,
    signal(signal) {
      child.kill(signal)
      return performance.now()
    },
    exited,
  }
}
