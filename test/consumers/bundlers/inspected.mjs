// Makes an inspector for those whom the application lets in, and one for whoever asks from this machine.
import { createTracking } from 'reqtrack'
import { inspector } from 'reqtrack/inspector'

const tracking = createTracking({ settings: { writeKey: 'inspected' } })
inspector(tracking, { authorize: () => true })
console.log('made with authorize')
inspector(tracking)
