import { createShopTracking } from '../shop/tracking.js'
import { createApp } from './app.js'

const { PORT = '3000', SEGMENT_WRITE_KEY = '', SEGMENT_HOST } = process.env

const tracking = createShopTracking({ settings: { writeKey: SEGMENT_WRITE_KEY, host: SEGMENT_HOST } })

const server = createApp(tracking).listen(Number(PORT), () => {
  console.log(`The shop is open: http://localhost:${PORT}`)
})

// Told to end, it finishes open requests and delivers their events before it exits.
tracking.shutdownOnSignals({ server })
