import type { HTTPResponse } from '@segment/analytics-node'
import { memberOf } from '../support/member-of.js'

/** Segment answers with some 20 bytes; an endless answer, or one that a few bytes expand to, must not fill the memory. */
export const MAX_ANSWER_BYTES = 64 * 1024

/** Why an answer was not read to its end. */
export class AnswerTooLong extends Error {
  override readonly message = `the answer was longer than ${MAX_ANSWER_BYTES / 1024} KB`
}

/**
 * Reads the body of an answer, whichever HTTP client it came from. A body that can be read piece by piece is cancelled at
 * the bound.
 *
 * @throws AnswerTooLong beyond 64 KB, and what the client throws.
 */
export async function readAnswer(response: HTTPResponse): Promise<string> {
  const body: unknown = Reflect.get(response, 'body')
  const isRead = Reflect.get(response, 'bodyUsed') === true || memberOf(body, 'locked') === true
  if (!isRead && isAsyncIterable(body)) return await readPieces(body)
  if (!isRead && isWebStream(body)) return await readPieces(piecesOf(body))
  const text: unknown = typeof response.text === 'function' ? await response.text() : ''
  if (typeof text !== 'string') return ''
  if (text.length > MAX_ANSWER_BYTES) throw new AnswerTooLong()
  return text
}

async function readPieces(pieces: AsyncIterable<unknown>): Promise<string> {
  const read: Buffer[] = []
  let bytes = 0
  for await (const piece of pieces) {
    const buffer =
      typeof piece === 'string' || piece instanceof Uint8Array ? Buffer.from(piece) : Buffer.alloc(0)
    bytes += buffer.length
    // Leaving the loop ends the stream.
    if (bytes > MAX_ANSWER_BYTES) throw new AnswerTooLong()
    read.push(buffer)
  }
  return Buffer.concat(read).toString()
}

interface WebStream {
  getReader(): { read(): Promise<{ done: boolean; value?: unknown }>; cancel(): Promise<unknown> }
}

/** The pieces of a web stream of an implementation that cannot be iterated. */
async function* piecesOf(stream: WebStream): AsyncGenerator<unknown> {
  const reader = stream.getReader()
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value
  } finally {
    await reader.cancel()
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof memberOf(value, Symbol.asyncIterator) === 'function'
}

function isWebStream(value: unknown): value is WebStream {
  return typeof memberOf(value, 'getReader') === 'function'
}
