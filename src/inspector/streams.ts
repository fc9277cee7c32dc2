import type { ServerResponse } from 'node:http'

/** More pages than anybody opens; further streams are refused. */
const MAX_STREAMS = 50
/** A page that leaves this much unread is disconnected; it reconnects by itself and starts anew. */
const MAX_UNREAD_BYTES = 4 * 1024 * 1024

/** The open pages: sends server-sent events to each of them. */
export class Streams {
  readonly #open = new Set<ServerResponse>()
  #closed = false

  /** Whether no page is open. */
  get isEmpty(): boolean {
    return this.#open.size === 0
  }

  /** Starts a stream with a first message, or answers 503 if there are too many or the tracking shuts down. */
  start(response: ServerResponse, headers: Readonly<Record<string, string>>, first: string): void {
    if (this.#closed || this.#open.size >= MAX_STREAMS) {
      response.writeHead(503, { ...headers, 'retry-after': '5' }).end()
      return
    }
    response.writeHead(200, {
      ...headers,
      'content-type': 'text/event-stream',
      // Compression would delay messages.
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    })
    this.#open.add(response)
    response.on('close', () => this.#open.delete(response))
    write(response, first)
  }

  /** Sends a message to every open page. */
  send(message: string): void {
    for (const response of this.#open) write(response, message)
  }

  /** Ends all streams for good: open ones would keep the server from closing. */
  close(): void {
    this.#closed = true
    for (const response of this.#open) response.end()
  }
}

function write(response: ServerResponse, message: string): void {
  // JSON text has no line breaks, so the message fits one `data` line.
  response.write(`data: ${message}\n\n`)
  if (response.writableLength > MAX_UNREAD_BYTES) response.destroy()
}
