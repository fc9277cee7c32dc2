import { type ChildProcess, spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LoadOptions, Told } from './load.js'

/** A load in a process of its own. */
export interface Load {
  /** The messageIds that it has made, with the time at which they were told. */
  readonly made: ReadonlyMap<string, number>
  /** What it said at its end, if it ended by itself. */
  readonly end: Extract<Told, { stats: unknown }> | undefined
  /** Lets it shut down, and waits for its end. */
  stop(): Promise<void>
  /** Kills it, and waits for its end. */
  kill(): Promise<void>
}

/** Starts a load; resolves when it has made its first call. */
export async function startLoad(options: LoadOptions): Promise<Load> {
  const made = new Map<string, number>()
  let end: Load['end']
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('load.ts', import.meta.url))],
    { env: { ...process.env, LOAD: JSON.stringify(options) }, stdio: ['ignore', 'pipe', 'inherit'] },
  )
  const gone = new Promise<void>((resolve) => child.once('close', () => resolve()))
  await new Promise<void>((resolve) => {
    void gone.then(resolve)
    if (!child.stdout) return
    createInterface({ input: child.stdout }).on('line', (line) => {
      // A killed process may leave half a line.
      if (!line.endsWith('}')) return
      const told: Told = JSON.parse(line)
      if ('stats' in told) end = told
      else for (const id of told.made) made.set(id, performance.now())
      resolve()
    })
  })
  const ended = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    await gone
  }
  return {
    made,
    get end() {
      return end
    },
    stop: () => ended('SIGTERM'),
    kill: () => ended('SIGKILL'),
  }
}
