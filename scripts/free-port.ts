import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/** So is the port 10,000 above, which a node of a Redis cluster takes, below those that a system chooses itself. */
const FIRST = 10_000
const END = 22_768
const TAKEN = ['EADDRINUSE', 'EACCES']

/**
 * A port that is free, and that no system gives to a server on port 0 or to a client: it stays free until a process has
 * started that is told it, and while a server is stopped that will start again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, END)
    if (await isFree(port)) return port
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer().listen(port)
  try {
    await once(server, 'listening')
  } catch (error) {
    if (error instanceof Error && 'code' in error && TAKEN.includes(String(error.code))) return false
    throw error
  }
  server.close()
  await once(server, 'close')
  return true
}
