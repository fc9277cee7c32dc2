import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { LoadEnd, LoadOptions, Told } from './load.js'

/** A load that does not end so long after its deadline is killed. */
const HANGS_MS = 20_000
const SOURCE = fileURLToPath(new URL('load.ts', import.meta.url))

/** How a load's process ended. */
export interface Exit {
  /** Its exit code; `null` where it was killed. */
  readonly code: number | null
  /** When it was told to end, in milliseconds since 1970. */
  readonly toldAt: number
  /** How long it took to end. */
  readonly tookMs: number
}

/** A load in a process of its own. */
export interface Load {
  readonly options: LoadOptions
  /** The messageIds that it has made, and when, in milliseconds since 1970. */
  readonly made: ReadonlyMap<string, number>
  /** Those that are on disk, or were. */
  readonly committed: ReadonlySet<string>
  /** Those that Segment has taken of it, those of others included; once for each time. */
  readonly delivered: readonly string[]
  /** Those that were given up, and why; calls of ended processes included. */
  readonly failed: ReadonlyMap<string, string>
  /** Everything that its health has said. */
  readonly health: readonly Extract<Told, { health: unknown }>['health'][]
  /** What it said at its end, if it ended by itself. */
  readonly end: LoadEnd | undefined
  /** How it ended. */
  readonly exit: Exit | undefined
  /** Lets it shut down, and waits for its end. */
  stop(): Promise<void>
  /** Kills it, and waits for its end. */
  kill(): Promise<void>
  /** Sets its clock back by an hour. */
  setClockBack(): void
  /** Sends it any other signal. */
  signal(signal: NodeJS.Signals): void
}

/** How a load is started. */
export interface LoadStart {
  /** The load's compiled file. Defaults to its source, which takes a second longer. */
  readonly file?: string
  /** The largest file that it may write, in blocks of 512 bytes. */
  readonly fileBlocks?: number
}

/** Starts a load; resolves when it can be told to stop. */
export async function startLoad(options: LoadOptions, start: LoadStart = {}): Promise<Load> {
  const made = new Map<string, number>()
  const committed = new Set<string>()
  const delivered: string[] = []
  const failed = new Map<string, string>()
  const health: Load['health'][number][] = []
  let end: Load['end']
  let exit: Load['exit']
  const { file = SOURCE, fileBlocks } = start
  const node = [process.execPath, ...(file === SOURCE ? ['--import', 'tsx'] : []), file]
  const command = fileBlocks ? ['sh', '-c', `ulimit -f ${fileBlocks}; exec "$@"`, 'sh', ...node] : node
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    env: { ...process.env, LOAD: JSON.stringify(options) },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = new Promise<number | null>((resolve) => child.once('close', resolve))
  await new Promise<void>((resolve, reject) => {
    void gone.then(() => reject(new Error('the load ended before it was told to')))
    createInterface({ input: child.stdout }).on('line', (line) => {
      // A killed process may leave half a line.
      if (!line.endsWith('}')) return
      const told: Told = JSON.parse(line)
      if ('made' in told) for (const id of told.made) made.set(id, told.at)
      else if ('committed' in told) for (const id of told.committed) committed.add(id)
      else if ('delivered' in told) delivered.push(...told.delivered)
      else if ('failed' in told) failed.set(told.failed, told.reason)
      else if ('health' in told) health.push(told.health)
      else if ('end' in told) end = told.end
      else resolve()
    })
  })
  const ended = async (signal: 'SIGTERM' | 'SIGKILL') => {
    const toldAt = performance.timeOrigin + performance.now()
    child.kill(signal)
    const hangs = setTimeout(() => child.kill('SIGKILL'), options.shutdownMs + HANGS_MS)
    const code = await gone
    clearTimeout(hangs)
    exit = { code, toldAt, tookMs: performance.timeOrigin + performance.now() - toldAt }
  }
  return {
    options,
    made,
    committed,
    delivered,
    failed,
    health,
    get end() {
      return end
    },
    get exit() {
      return exit
    },
    stop: () => ended('SIGTERM'),
    kill: () => ended('SIGKILL'),
    setClockBack: () => child.kill('SIGUSR2'),
    signal: (signal) => child.kill(signal),
  }
}
