import type { ServerResponse } from 'node:http'

/** More pages than anybody looks at; what comes after is refused. */
const MAX_STREAMS = 50
/** A page that has not read so much is cut off; it comes back by itself, and begins anew. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024

/** The pages that are being looked at: server-sent events to each of them. */
export class Streams {
  readonly #open = new Set<ServerResponse>()
  #closed = false

  /** Whether anybody looks. */
  get isEmpty(): boolean {
    return this.#open.size === 0
  }

  /** Begins a stream with a first message, unless there are too many or no more are wanted. */
  begin(response: ServerResponse, headers: Readonly<Record<string, string>>, first: string): void {
    if (this.#closed || this.#open.size >= MAX_STREAMS) {
      response.writeHead(503, { ...headers, 'retry-after': '5' }).end()
      return
    }
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream',
      // Compressing it would hold messages back.
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    })
    this.#open.add(response)
    response.on('close', () => this.#open.delete(response))
    write(response, first)
  }

  /** Sends a message to all. */
  send(message: string): void {
    for (const response of this.#open) write(response, message)
  }

  /** Ends all streams for good: they would keep the server from closing. */
  close(): void {
    this.#closed = true
    for (const response of this.#open) response.end()
  }
}

function write(response: ServerResponse, message: string): void {
  // JSON has no line breaks, so that a message is one line.
  response.write(`data: ${message}\n\n`)
  if (response.writableLength > MAX_UNREAD_BYTES) response.destroy()
}
