import { createApp } from '../express/app.js'
import { createShopTracking } from '../express/tracking.js'
import { openInvoiceQueue } from './invoices.js'

const { PORT = '3000', REDIS_URL = 'redis://127.0.0.1:6379' } = process.env
const { SEGMENT_WRITE_KEY = '', SEGMENT_HOST } = process.env

const tracking = createShopTracking({ settings: { writeKey: SEGMENT_WRITE_KEY, host: SEGMENT_HOST } })
const invoices = openInvoiceQueue({ url: REDIS_URL })

const server = createApp(tracking, invoices.request).listen(Number(PORT), (error) => {
  if (error) throw error
  console.log(`The shop is open: http://localhost:${PORT}`)
})

tracking.shutdownOnSignals({ server })
