import type { Readable } from 'node:stream'
import { clearTimeout, setTimeout } from '../support/clock.js'

/** A client that takes longer is not a browser that wants to be heard. */
const MAX_SECONDS = 30

/** A body that is not taken: the status of the answer, and one line that says why. */
export class BodyError extends Error {
  override readonly name = 'BodyError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/**
 * Reads the body of a request.
 *
 * @param announced - How many bytes the request says that it has.
 * @param limit - The most bytes.
 * @throws BodyError for one that is longer, takes over 30 seconds, or ends early.
 */
export function readBytes(body: Readable, announced: string | undefined, limit: number): Promise<Buffer> {
  const tooLong = () => new BodyError(413, `the body is longer than ${limit} bytes`)
  if (Number(announced) > limit) return Promise.reject(tooLong())
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let length = 0
    const end = (error?: BodyError) => {
      clearTimeout(timer)
      body.off('data', take).off('end', finish).off('error', abort).off('close', abort)
      if (error) reject(error)
      else resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))
    }
    const take = (chunk: Buffer | string) => {
      const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
      length += bytes.length
      if (length > limit) end(tooLong())
      else chunks.push(bytes)
    }
    const finish = () => end()
    const abort = () => end(new BodyError(400, 'the body ended early'))
    const timer = setTimeout(
      () => end(new BodyError(408, `the body took longer than ${MAX_SECONDS} seconds`)),
      MAX_SECONDS * 1_000,
    )
    timer.unref()
    body.on('data', take).on('end', finish).on('error', abort).on('close', abort)
  })
}

/**
 * Takes a gzip off a body.
 *
 * @param limit - The most bytes of the result.
 */
export async function gunzip(bytes: Buffer, limit: number): Promise<Buffer> {
  // Loaded by the first compressed body: browsers seldom send one.
  const { gunzip: decompress } = await import('node:zlib')
  return new Promise((resolve, reject) => {
    decompress(bytes, { maxOutputLength: limit }, (error, result) => {
      if (!error) resolve(result)
      else if ('code' in error && error.code === 'ERR_BUFFER_TOO_LARGE')
        reject(new BodyError(413, `the body is longer than ${limit} bytes`))
      else reject(new BodyError(400, 'the body is no gzip'))
    })
  })
}
