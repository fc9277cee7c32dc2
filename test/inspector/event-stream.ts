import { onTestFinished } from 'vitest'
import type { Update } from '../../src/inspector/view.js'

/** An open stream of an inspector. */
export interface EventStream {
  /** What it has told so far. */
  readonly updates: readonly Update[]
  /** Resolves with the first update that is like that, also one that has been told before. */
  find(isMeant: (update: Update) => boolean): Promise<Update>
  /** Resolves when the server has ended the stream. */
  readonly ended: Promise<void>
}

/** Opens a stream until the test ends. */
export async function openStream(url: string): Promise<EventStream> {
  const abort = new AbortController()
  onTestFinished(() => abort.abort())
  const response = await fetch(url, { signal: abort.signal })
  if (!response.body || response.status !== 200) throw new Error(`the stream was answered ${response.status}`)
  const updates: Update[] = []
  const waiting = new Set<() => void>()
  const ended = read(response.body, (update) => {
    updates.push(update)
    for (const check of waiting) check()
  })
  ended.catch(() => {})
  const find = (isMeant: (update: Update) => boolean) =>
    new Promise<Update>((resolve) => {
      const check = () => {
        const found = updates.find(isMeant)
        if (!found) return
        waiting.delete(check)
        resolve(found)
      }
      waiting.add(check)
      check()
    })
  return { updates, find, ended }
}

async function read(body: ReadableStream<Uint8Array>, tell: (update: Update) => void): Promise<void> {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    const messages = text.split('\n\n')
    text = messages.pop() ?? ''
    for (const message of messages) tell(JSON.parse(message.replace(/^data: /, '')))
  }
}
