import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { BodyError, gunzip, readBytes } from './bytes.js'

/** A body as JSON has it, and about how many bytes it took; `undefined` where a parser of the application's has read it. */
export interface Body {
  readonly value: unknown
  readonly bytes: number | undefined
}

/** What browsers send JSON as: `sendBeacon` and analytics.js call it text, so that no preflight is needed. */
const TYPES = new Set(['', 'application/json', 'text/plain'])
const UTF_8 = new Set(['', 'utf-8', 'utf8', 'us-ascii'])

/**
 * Reads the body of a request as JSON. What a body parser that is mounted before has made of it is taken as it is.
 *
 * @param payload - The stream that the body is read from: the message, or what the application has put in its place.
 * @param parsed - What such a parser has left.
 * @param limit - The most bytes, also of what was compressed.
 * @throws BodyError for what is not taken.
 */
export async function readBody(
  { headers }: IncomingMessage,
  payload: Readable,
  parsed: unknown,
  limit: number,
): Promise<Body> {
  const [type = '', ...parameters] = (headers['content-type'] ?? '').toLowerCase().split(';')
  if (!TYPES.has(type.trim()))
    throw new BodyError(415, 'the body is of another type: expected application/json or text/plain')
  if (payload.readableDidRead) return parsedBody(parsed, limit)
  if (!UTF_8.has(charsetOf(parameters)))
    throw new BodyError(415, 'the body is in another charset: expected utf-8')
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding !== 'identity' && encoding !== 'gzip')
    throw new BodyError(415, 'the body is in another encoding: expected gzip, or none')
  const bytes = await readBytes(payload, headers['content-length'], limit)
  return parse(encoding === 'gzip' ? await gunzip(bytes, limit) : bytes)
}

function parsedBody(parsed: unknown, limit: number): Body {
  if (typeof parsed === 'string' || Buffer.isBuffer(parsed)) {
    if (parsed.length > limit) throw new BodyError(413, `the body is longer than ${limit} bytes`)
    return parse(parsed)
  }
  if (typeof parsed === 'object' && parsed !== null) return { value: parsed, bytes: undefined }
  throw new BodyError(400, 'the body was read before by something that left nothing of it')
}

function parse(text: string | Buffer): Body {
  try {
    const value: unknown = JSON.parse(text.toString())
    return { value, bytes: text.length }
  } catch {
    // The parser's own message quotes the text.
    throw new BodyError(400, 'the body is no JSON')
  }
}

function charsetOf(parameters: readonly string[]): string {
  const charset = parameters.map((each) => each.trim()).find((each) => each.startsWith('charset='))
  return charset?.slice('charset='.length).replaceAll('"', '') ?? ''
}
