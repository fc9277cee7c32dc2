import type { RequestListener } from 'node:http'
import type { ReceivedEvents } from './received-events.js'

/** Answers what every client takes for a success. */
export function takingEvents(events: ReceivedEvents): RequestListener {
  return (request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const count = events.take(Buffer.concat(chunks), request.headers['content-encoding'])
      response.writeHead(200, { 'content-type': 'application/json' })
      // What Amplitude's client wants to read; the others look at the status.
      const time = events.counts.lastAt
      response.end(
        JSON.stringify({ success: true, code: 200, events_ingested: count, server_upload_time: time }),
      )
    })
  }
}
