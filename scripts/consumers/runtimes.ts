import { join } from 'node:path'
import { nodeBinary, SUPPORTED_NODES } from '../node-binary.js'
import { node } from '../run-command.js'
import type { Cell, Stage } from './cell.js'
import { tool } from './tools.js'

const TIMEOUT_MS = 600_000
const PROMISES =
  'the promises, a shutdown with open requests, and the file outbox, on `node:http`, Express and Koa'
const WEB = 'the promises and a shutdown, for web-standard handlers and Hono'

interface Runtime {
  readonly name: string
  readonly isQuick?: boolean
  /** @returns How to run a script on it. */
  readonly command: () => Promise<readonly string[]> | readonly string[]
}

const RUNTIMES: readonly Runtime[] = [
  ...SUPPORTED_NODES.map((version) => ({ name: `Node ${version}`, command: () => [nodeBinary(version)] })),
  { name: 'Bun 1.4.5', isQuick: true, command: async () => [await bunBinary()] },
  {
    name: 'Deno 2.9.6',
    isQuick: true,
    command: async () => [join(await tool('deno@2.9.6'), '.bin/deno'), 'run', '--allow-all', '--no-prompt'],
  },
]

export const runtimes: readonly Cell[] = RUNTIMES.flatMap((runtime) => [
  cell(runtime, PROMISES, 'runtime/drive.mjs'),
  cell(runtime, WEB, 'web/drive.mjs'),
])

/** @returns The file of Bun, which npm installs where it is not there yet. */
export async function bunBinary(): Promise<string> {
  return join(await tool('bun@1.4.5'), '.bin/bun')
}

function cell({ name, isQuick = false, command }: Runtime, what: string, script: string): Cell {
  return {
    area: 'Runtimes',
    name,
    what,
    isQuick,
    run: async ({ project }: Stage) => {
      await node([script, ...(await command())], project, { timeout: TIMEOUT_MS })
    },
  }
}
