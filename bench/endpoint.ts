import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { takingEvents } from './event-listener.js'
import { serve } from './processes.js'
import { ReceivedEvents } from './received-events.js'

// One endpoint that takes what Segment, PostHog, RudderStack and Amplitude are sent, and does as little as it can with it.

const events = new ReceivedEvents()
const server = createServer(takingEvents(events))
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo

const commands = {
  url: () => `http://127.0.0.1:${port}`,
  received: () => events.counts,
}

export type EndpointCommands = typeof commands

serve(commands)
