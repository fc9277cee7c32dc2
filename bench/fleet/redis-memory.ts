import { createClient } from 'redis'

/** What a Redis holds. */
export interface RedisContent {
  /** Bytes of its memory. */
  readonly bytes: number
  /** Entries of all its streams of calls. */
  readonly calls: number
}

/** Asks a Redis what it holds. */
export async function redisMemory(url: string): Promise<RedisContent> {
  const client = await createClient({ url }).connect()
  try {
    const bytes = Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1])
    let calls = 0
    for (const key of await client.keys('reqtrack:*:calls')) calls += await client.xLen(key)
    return { bytes, calls }
  } finally {
    client.destroy()
  }
}
