import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { onTestFinished } from 'vitest'

const root = new URL('../..', import.meta.url)

/** A process that runs a file of the repository. */
export interface Running {
  readonly exit: Promise<number | null>
  output(): string
  errors(): string
  /** Resolves when the text has been printed; rejects when the process ends without it. */
  prints(text: string): Promise<void>
  kill(signal: NodeJS.Signals): void
}

/** Runs a TypeScript file of the repository until the test ends. */
export function run(file: string, parameters: string[], env: NodeJS.ProcessEnv = {}): Running {
  const child: ChildProcess = spawn(process.execPath, ['--import', 'tsx', file, ...parameters], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const exit = once(child, 'close').then(() => child.exitCode)
  onTestFinished(() => void child.kill('SIGKILL'))
  return {
    exit,
    output: () => output,
    errors: () => errors,
    async prints(text) {
      while (!output.includes(text)) {
        const ended = await Promise.race([
          once(child.stdout ?? child, 'data'),
          exit.then(() => 'ended' as const),
        ])
        if (ended === 'ended' && !output.includes(text)) {
          throw new Error(`${file} ended without printing ${text}:\n${output}${errors}`)
        }
      }
    },
    kill: (signal) => void child.kill(signal),
  }
}

/** Listens on a free port. */
export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, 'localhost', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  return address.port
}
