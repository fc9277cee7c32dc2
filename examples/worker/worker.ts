import { createShopTracking } from '../express/tracking.js'
import { startInvoiceWorker } from './invoices.js'

const { REDIS_URL = 'redis://127.0.0.1:6379' } = process.env
const { SEGMENT_WRITE_KEY = '', SEGMENT_HOST, SEGMENT_FLUSH_INTERVAL = '10000' } = process.env

// The shop's own config: the same names for the categories of consent, the same mapping, the same plan.
const tracking = createShopTracking({
  settings: {
    writeKey: SEGMENT_WRITE_KEY,
    host: SEGMENT_HOST,
    flushInterval: Number(SEGMENT_FLUSH_INTERVAL),
  },
})
const worker = startInvoiceWorker(tracking, { url: REDIS_URL })

worker.on('error', (error) => console.error('The queue cannot be reached:', error.message))
worker.on('failed', (job, error) => console.error(`The invoice of ${job?.data.order.id} failed:`, error))
await worker.waitUntilReady()
console.log('The worker waits for orders.')

for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, shutDown)

/** Takes no more jobs, finishes those that it has, and delivers their events. Nothing then keeps the process. */
async function shutDown(): Promise<void> {
  await worker.close()
  await tracking.shutdown()
}
