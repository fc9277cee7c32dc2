import { createSegmentServer, type FaultScript, type ReceivedCall } from '../src/testing/index.js'
import { serve } from './processes.js'

let sample: ReceivedCall | undefined
const segment = await createSegmentServer({
  record: false,
  onCall: (call) => {
    if (call.type === 'track') sample ??= call
  },
})

const commands = {
  url: () => segment.url,
  /** How many different calls have arrived, and how many arrived again. */
  received: () => ({ received: segment.received, again: segment.duplicates.length }),
  /** The first `track` since the last time that this was asked for. */
  sample: () => {
    const taken = sample
    sample = undefined
    return taken
  },
  respondWith: (script: Exclude<FaultScript, (...given: never[]) => unknown>) => segment.respondWith(script),
  clear: () => segment.clear(),
}

export type SegmentCommands = typeof commands

serve(commands)
