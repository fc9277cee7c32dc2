import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'
import { serve } from './processes.js'

// One endpoint that takes what Segment, PostHog, RudderStack and Amplitude are sent, and does as little as it can with it.

/** An event in any of their formats: each has an id of its own. */
interface SentEvent {
  readonly messageId?: string
  readonly uuid?: string
  readonly insert_id?: string
}

const ids = new Set<string>()
let requests = 0
/** When the last event arrived that had not been there before, in milliseconds since 1970. */
let lastAt = 0

const server = createServer((request, response) => {
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', () => {
    const events = eventsIn(Buffer.concat(chunks), request.headers['content-encoding'])
    if (events.length > 0) requests++
    for (const { messageId, uuid, insert_id } of events) {
      const id = messageId ?? uuid ?? insert_id
      if (id === undefined || ids.has(id)) continue
      ids.add(id)
      lastAt = performance.timeOrigin + performance.now()
    }
    response.writeHead(200, { 'content-type': 'application/json' })
    // What Amplitude's client wants to read; the others look at the status.
    response.end(
      JSON.stringify({
        success: true,
        code: 200,
        events_ingested: events.length,
        server_upload_time: lastAt,
      }),
    )
  })
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo

function eventsIn(body: Buffer, encoding: string | undefined): readonly SentEvent[] {
  const text = (encoding === 'gzip' ? gunzipSync(body) : body).toString()
  const { batch, events }: { batch?: SentEvent[]; events?: SentEvent[] } = text ? JSON.parse(text) : {}
  return batch ?? events ?? []
}

const commands = {
  url: () => `http://127.0.0.1:${port}`,
  /** How many different events have arrived, in how many requests, and when the last one did. */
  received: () => ({ received: ids.size, requests, lastAt }),
}

export type EndpointCommands = typeof commands

serve(commands)
