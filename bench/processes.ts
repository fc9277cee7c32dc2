import { type ChildProcess, fork } from 'node:child_process'

type Command = (given: never) => unknown

/** A child process of the suite that answers one request after the other. */
export interface Child<Commands extends Record<keyof Commands, Command>> {
  ask<C extends keyof Commands & string>(
    command: C,
    ...given: Parameters<Commands[C]>
  ): Promise<Awaited<ReturnType<Commands[C]>>>
  /** Ends it; what it was told to write at its end it still writes. */
  end(): Promise<void>
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

const running = new Set<ChildProcess>()

/** What is asked to end takes everything that it started with it. */
export function endAll(): void {
  for (const child of running) child.kill('SIGKILL')
}

/**
 * Starts a child process.
 *
 * @param file - The built file, which calls {@link serve}.
 * @param execArgv - Options of Node.
 * @param execPath - The Node to run it under; this process's own by default.
 * @param env - Variables beside those of this process.
 */
export function start<Commands extends Record<keyof Commands, Command>>(
  file: string,
  execArgv: string[] = [],
  execPath = process.execPath,
  env: Readonly<Record<string, string>> = {},
): Child<Commands> {
  const child = fork(file, {
    execPath,
    execArgv,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>()
  let asked = 0
  running.add(child)
  child.on('message', ({ id, value, error }: Answer) => {
    const { resolve, reject } = waiting.get(id) ?? {}
    waiting.delete(id)
    if (error === undefined) resolve?.(value)
    else reject?.(new Error(error))
  })
  // What could not be sent is told by the exit.
  child.on('error', () => {})
  child.on('exit', (code, signal) => {
    running.delete(child)
    for (const { reject } of waiting.values()) reject(new Error(`${file} ended early: ${signal ?? code}`))
  })
  return {
    ask: (command, ...given) =>
      new Promise((resolve, reject) => {
        if (!child.connected) return reject(new Error(`${file} has ended`))
        const id = ++asked
        waiting.set(id, { resolve: (value) => resolve(value as never), reject })
        child.send({ id, command, given: given.at(0) })
      }),
    end: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve()
        child.once('exit', () => resolve())
        if (child.connected) child.disconnect()
      }),
  }
}

/** Answers the parent's requests, in the child process. */
export function serve(commands: Readonly<Record<string, Command>>): void {
  process.on('disconnect', () => process.exit())
  process.on('message', async ({ id, command, given }: { id: number; command: string; given: unknown }) => {
    try {
      const value = await commands[command]?.(given as never)
      answer({ id, value })
    } catch (error) {
      answer({ id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) })
    }
  })
}

/** Who asked may be gone by now. */
function answer(given: Answer): void {
  process.send?.(given, () => {})
}
