import { createSegmentServer, formatCall } from '../testing/index.js'
import { CommandError } from './command-error.js'
import { portOf } from './port.js'

/**
 * Runs `npx reqtrack sink`: a local Segment endpoint that prints calls as they come, until the process is ended.
 *
 * @param options - `port`: where to listen, 8787 by default.
 */
export async function sink(
  operands: readonly string[],
  options: { readonly port?: string | undefined },
): Promise<number> {
  if (operands.length > 0) throw new CommandError('sink takes no operand')
  const server = await createSegmentServer({
    port: portOf(options.port ?? '8787'),
    record: false,
    onCall: (call) => console.log(formatCall(call)),
  })
  console.error(`Listening on ${server.url}: set settings.host to it. Ctrl+C ends it.`)
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void server.close())
  return 0
}
