import { gunzipSync } from 'node:zlib'

/** An event in any format of Segment's, PostHog's, RudderStack's and Amplitude's: each has an id of its own. */
interface SentEvent {
  readonly messageId?: string
  readonly uuid?: string
  readonly insert_id?: string
}

/** Counts the different events of requests, whoever's format they have. */
export class ReceivedEvents {
  readonly #ids = new Set<string>()
  #requests = 0
  #lastAt = 0

  /** @returns How many events the body holds. */
  take(body: Buffer, encoding: string | undefined): number {
    const events = eventsIn(body, encoding)
    if (events.length > 0) this.#requests++
    for (const { messageId, uuid, insert_id } of events) {
      const id = messageId ?? uuid ?? insert_id
      if (id === undefined || this.#ids.has(id)) continue
      this.#ids.add(id)
      this.#lastAt = performance.timeOrigin + performance.now()
    }
    return events.length
  }

  /** Different events, requests with any, and when the last new one arrived, in milliseconds since 1970. */
  get counts(): { received: number; requests: number; lastAt: number } {
    return { received: this.#ids.size, requests: this.#requests, lastAt: this.#lastAt }
  }
}

function eventsIn(body: Buffer, encoding: string | undefined): readonly SentEvent[] {
  const text = (encoding === 'gzip' ? gunzipSync(body) : body).toString()
  const { batch, events }: { batch?: SentEvent[]; events?: SentEvent[] } = text ? JSON.parse(text) : {}
  return batch ?? events ?? []
}
