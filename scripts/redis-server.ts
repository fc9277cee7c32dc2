import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findRedis, HOW_TO_GET_REDIS } from './ensure-redis.js'
import { freePort } from './free-port.js'

const HOST = '127.0.0.1'
/** Somebody else can take a free port before the server does. */
const ATTEMPTS = 3

/** A Redis server that nobody else uses. */
export interface RedisServer {
  readonly host: string
  readonly port: number
  /** For a client: `redis://127.0.0.1:…`. */
  readonly url: string
  /** Where it keeps its files, if its options say that it keeps any. */
  readonly directory: string
  /** The process's id, for signals: `SIGSTOP` makes it hang. It changes with `restart()`. */
  readonly pid: number
  /** Ends it at once, as a crash does, and keeps its directory. */
  crash(): Promise<void>
  /** Starts it again, after a crash, on the same port and with the same directory and options. */
  restart(): Promise<void>
  /** Ends it and deletes its directory. Calling it again does nothing. */
  stop(): Promise<void>
}

/** What a server of one's own may differ in. */
export interface RedisServerOptions {
  /** Further options for the command line, such as `['--appendonly', 'yes']`. Nothing is written to the disk by default. */
  readonly options?: readonly string[]
  /** Lines of a configuration file, which the server may rewrite: a sentinel keeps there what it knows. */
  readonly config?: readonly string[]
}

/**
 * Starts a Redis server of its own on a free port of the loopback interface, in a directory of its own.
 *
 * @throws If there is none, with how to get one, or if it does not start, with what it said.
 */
export async function startRedisServer({
  options = [],
  config,
}: RedisServerOptions = {}): Promise<RedisServer> {
  const file = findRedis()
  if (!file) throw new Error(HOW_TO_GET_REDIS)
  const directory = mkdtempSync(join(tmpdir(), 'reqtrack-redis-'))
  const common = ['--bind', HOST, '--dir', directory, '--save', '']
  for (let attempt = 1; ; attempt++) {
    const port = await freePort()
    const configFile = join(directory, 'redis.conf')
    if (config) writeFileSync(configFile, config.join('\n'))
    const given = config ? [configFile] : []
    const start = () => startProcess(file, [...given, '--port', String(port), ...common, ...options])
    try {
      return serverOf(await start(), start, port, directory)
    } catch (error) {
      if (attempt < ATTEMPTS && String(error).includes('Address already in use')) continue
      rmSync(directory, { recursive: true, force: true })
      throw error
    }
  }
}

function serverOf(
  started: ChildProcess,
  start: () => Promise<ChildProcess>,
  port: number,
  directory: string,
): RedisServer {
  let running = started
  // A process that ends without stopping it leaves neither a server nor its directory.
  const onExit = () => {
    running.kill('SIGKILL')
    rmSync(directory, { recursive: true, force: true })
  }
  process.on('exit', onExit)
  const crash = async () => {
    if (hasEnded(running)) return
    const ended = once(running, 'exit')
    running.kill('SIGKILL')
    await ended
  }
  return {
    host: HOST,
    port,
    url: `redis://${HOST}:${port}`,
    directory,
    get pid() {
      if (running.pid === undefined) throw new Error('the Redis server has no process')
      return running.pid
    },
    crash,
    async restart() {
      await crash()
      running = await start()
    },
    async stop() {
      await crash()
      process.off('exit', onExit)
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

/** @returns The process, once it takes connections. */
async function startProcess(file: string, parameters: readonly string[]): Promise<ChildProcess> {
  const child = spawn(file, parameters, { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  const listened = new Promise<void>((resolve, reject) => {
    const hear = (text: string) => {
      if (said.length < 16_384) said += text
      if (/Ready to accept connections|Sentinel ID is/.test(said)) resolve()
    }
    child.stdout.setEncoding('utf8').on('data', hear)
    child.stderr.setEncoding('utf8').on('data', hear)
    child.once('error', reject)
    child.once('close', () => reject(new Error(`${file} ended before it took connections:\n${said}`)))
  })
  await listened
  return child
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null
}
