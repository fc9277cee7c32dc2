import { type ConnectionOptions, type Job, Queue, Worker } from 'bullmq'
import type { Carried, Tracking } from 'reqtrack'
import type { Order } from '../express/app.js'

/** What the shop's process puts into the queue. */
export interface InvoiceJob {
  readonly order: Order
  /** Who ordered, and what they agreed to, as `req.tracker.carry()` gave it. */
  readonly visitor: Carried
}

/** What the queue is called in Redis. */
export const QUEUE = 'invoices'

/** The queue, on the side of the shop. */
export interface InvoiceQueue {
  request(order: Order, visitor: Carried): Promise<Job<InvoiceJob>>
  close(): Promise<void>
}

/** Opens the queue for a shop whose customers order. */
export function openInvoiceQueue(connection: ConnectionOptions): InvoiceQueue {
  const queue = new Queue<InvoiceJob>(QUEUE, { connection })
  return {
    request: (order, visitor) => queue.add('send', { order, visitor }),
    close: () => queue.close(),
  }
}

/** Starts to send invoices. What a job tracks is about the visitor who ordered, with their consent of that moment. */
export function startInvoiceWorker(tracking: Tracking, connection: ConnectionOptions): Worker<InvoiceJob> {
  return new Worker<InvoiceJob>(
    QUEUE,
    ({ id, data: { order, visitor } }) =>
      tracking.resume(visitor, async (tracker) => {
        await sendInvoice(order)
        // A job that is tried again makes the same message.
        tracker.track('invoice send', { ...order }, { key: id })
      }),
    { connection, concurrency: 10 },
  )
}

/** Where an application writes and mails the invoice. */
async function sendInvoice(_order: Order): Promise<void> {}
