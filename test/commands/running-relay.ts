import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** A running `npx reqtrack relay`. */
export interface RunningRelay {
  readonly child: ChildProcess
  /** The lines of its log so far. */
  readonly lines: readonly string[]
  /** Resolves with the first line of its log that matches, also of those that were there before. */
  line(pattern: RegExp): Promise<string>
  /** Resolves with its exit code. */
  readonly exit: Promise<number | null>
  /** The base URL of its port; it has to have one. */
  url(): Promise<string>
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

/** Starts `npx reqtrack relay` as a process of its own, which ends with the test. */
export function startRelay(args: readonly string[], environment: Record<string, string> = {}): RunningRelay {
  const { SEGMENT_WRITE_KEY: _key, REDIS_URL: _url, SEGMENT_HOST: _host, ...inherited } = process.env
  const child = spawn(process.execPath, ['--import', 'tsx', 'src/cli.ts', 'relay', ...args], {
    cwd: root,
    env: { ...inherited, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line)
      for (const look of waiting) look()
    })
  }
  const exit = once(child, 'close').then(([code]: (number | null)[]) => code ?? null)
  onTestFinished(async () => {
    child.kill('SIGCONT')
    child.kill('SIGKILL')
    await exit
  })
  const line = (pattern: RegExp) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const found = lines.find((each) => pattern.test(each))
        if (found === undefined) return
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
      void exit.then(() => reject(new Error(`it ended without saying ${pattern}:\n${lines.join('\n')}`)))
    })
  return {
    child,
    lines,
    line,
    exit,
    async url() {
      const said = await line(/served on port \d+/)
      return `http://127.0.0.1:${/port (\d+)/.exec(said)?.[1]}`
    },
    stop(signal = 'SIGTERM') {
      child.kill(signal)
      return exit
    },
  }
}
