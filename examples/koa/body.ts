import type { Context } from 'koa'

const MAX_BYTES = 10_000

/** Reads the fields of a small JSON or form body; @koa/bodyparser does it for bigger applications. */
export async function readFields(ctx: Context): Promise<ReadonlyMap<string, unknown>> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of ctx.req) {
    bytes += chunk.length
    if (bytes > MAX_BYTES) ctx.throw(413, 'That is too much.')
    chunks.push(chunk)
  }
  const text = Buffer.concat(chunks).toString()
  if (!ctx.is('json')) return new Map(new URLSearchParams(text))
  try {
    return new Map(Object.entries(JSON.parse(text)))
  } catch {
    return ctx.throw(400, 'That is no JSON.')
  }
}
