// What the blocks of the documentation call and none declares: what an application has already, or buys elsewhere.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { Analytics } from '@segment/analytics-node'
import type { Request } from 'express'
import type { Tracking } from 'reqtrack'

/** The client of an application that calls the SDK by itself. */
export const analytics = new Analytics({ writeKey: process.env.SEGMENT_WRITE_KEY ?? 'test' })

/** What an application without this package has to find out by itself. */
export const sessionOf = (_request: Request) => ({ userId: 'u-1' })
export const cookieOf = (_request: Request, _name: string) => 'visitor-1'
export const consentOf = (_request: Request) => ({ categoryPreferences: { Advertising: true } })

/** A statsd client and OpenTelemetry's `metrics` in one. */
export const metrics = {
  increment(_name: string): void {},
  getMeter(_name: string) {
    return { createObservableGauge: observable, createObservableCounter: observable }
  },
}

interface Observed {
  observe(value: number, attributes?: Record<string, string>): void
}

function observable(_name: string) {
  return {
    addCallback(callback: (observed: Observed) => void): void {
      callback({ observe() {} })
    },
  }
}

/** As prom-client has it. */
export class Gauge {
  constructor(options: { name: string; help: string; labelNames: string[]; collect(this: Gauge): void }) {
    options.collect.call(this)
  }

  set(_labels: Record<string, string>, _value: number): void {}
}

/** A message as kafkajs hands it to a consumer. */
interface KafkaMessage {
  readonly value: Buffer
  readonly headers?: Readonly<Record<string, Buffer | string | undefined>>
}

interface KafkaConsumer {
  eachMessage(payload: { topic: string; partition: number; message: KafkaMessage }): Promise<void>
}

const consumers: KafkaConsumer[] = []

/** A consumer in the shape of kafkajs, of the one topic that there is. */
export const consumer = {
  async subscribe(_topic: { topic: string }): Promise<void> {},
  async run(how: KafkaConsumer): Promise<void> {
    consumers.push(how)
  },
}

/** A producer in the shape of kafkajs: what it sends is consumed at once. */
export const producer = {
  async send(record: {
    topic: string
    messages: { value: string; headers?: Record<string, string> }[]
  }): Promise<void> {
    for (const { value, headers } of record.messages) {
      const message = { value: Buffer.from(value), ...(headers && { headers }) }
      for (const each of consumers) await each.eachMessage({ topic: record.topic, partition: 0, message })
    }
  },
}

/** Those whom a nightly job is about, as an application has stored them. */
export async function customersToRemind() {
  return [
    { id: 'u-1', plan: 'team', consent: { analytics: true } },
    { id: 'u-2', plan: 'free', consent: { analytics: false } },
  ]
}

export async function sendInvoice(): Promise<void> {}

/** An application of Next.js, with one page for every path; its modules find the tracking as the page of the documentation says. */
export const nextApp = {
  async prepare(): Promise<void> {},
  getRequestHandler: () => async (req: IncomingMessage, res: ServerResponse) => {
    const shop: Tracking | undefined = Reflect.get(globalThis, 'shopTracking')
    await new Promise(setImmediate)
    shop?.current()?.track('page view', { path: req.url })
    res.end('<!doctype html>')
  },
}
