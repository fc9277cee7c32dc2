import { connect, type Socket } from 'node:net'
import { HEADERS } from './in-process/requests.js'
import { serve } from './processes.js'

// A load that does not wait for the server: requests begin when they are due, and those that find no free connection
// wait, which counts as theirs. A server that stands still is seen by all who would have come meanwhile.

/** What the load process is to send. */
export interface PacedLoad {
  readonly url: string
  /** Requests a second. */
  readonly rate: number
  readonly seconds: number
  /** Connections, each with one request at a time. */
  readonly connections: number
}

/** What came of it; latencies in milliseconds from the time that a request was due. */
export interface PacedResult {
  readonly requests: number
  /** Answers a second, over the load until the last answer. */
  readonly perSecond: number
  readonly p50: number
  readonly p99: number
  readonly p999: number
  /** Requests with another answer than a success, or with none. */
  readonly failed: number
}

/** Requests that are due in the same millisecond begin together. */
const TICK_MS = 1
/** A server that is overloaded has so long to catch up. */
const PATIENCE_MS = 30_000

const commands = {
  send: (load: PacedLoad): Promise<PacedResult> => new Paced(load).result(),
}

class Paced {
  readonly #load: PacedLoad
  readonly #bytes: Buffer
  readonly #requests: number
  /** When each request that has not begun was due; from `#begun` on. */
  readonly #due: number[] = []
  readonly #free: Socket[] = []
  readonly #latencies: number[] = []
  #begun = 0
  #failed = 0
  #started = 0
  #settle: ((result: PacedResult) => void) | undefined

  constructor(load: PacedLoad) {
    this.#load = load
    this.#requests = Math.ceil(load.rate * load.seconds)
    const { pathname } = new URL(load.url)
    const headers = Object.entries(HEADERS).map(([name, value]) => `${name}: ${value}\r\n`)
    this.#bytes = Buffer.from(`POST ${pathname} HTTP/1.1\r\n${headers.join('')}content-length: 0\r\n\r\n`)
  }

  async result(): Promise<PacedResult> {
    const sockets = await Promise.all(Array.from({ length: this.#load.connections }, () => this.#open()))
    this.#free.push(...sockets)
    const settled = new Promise<PacedResult>((resolve) => {
      this.#settle = resolve
    })
    this.#started = performance.now()
    const ticking = setInterval(() => this.#tick(), TICK_MS)
    const patience = setTimeout(() => this.#end(), this.#load.seconds * 1_000 + PATIENCE_MS)
    const result = await settled
    clearInterval(ticking)
    clearTimeout(patience)
    for (const socket of sockets) socket.destroy()
    return result
  }

  #tick(): void {
    const elapsed = performance.now() - this.#started
    const dueByNow = Math.min(this.#requests, Math.floor((elapsed * this.#load.rate) / 1_000))
    while (this.#due.length < dueByNow)
      this.#due.push(this.#started + (this.#due.length * 1_000) / this.#load.rate)
    this.#begin()
  }

  #begin(): void {
    while (this.#begun < this.#due.length) {
      const socket = this.#free.shift()
      if (!socket) return
      const due = this.#due[this.#begun++] ?? 0
      socket.write(this.#bytes)
      socket.once('answer', (isSuccess: boolean) => {
        this.#latencies.push(performance.now() - due)
        if (!isSuccess) this.#failed++
        this.#free.push(socket)
        if (this.#latencies.length === this.#requests) this.#end()
        else this.#begin()
      })
    }
  }

  /** Answers are small and come in one piece or in a few; how long one is its head says. */
  async #open(): Promise<Socket> {
    const { hostname, port } = new URL(this.#load.url)
    const socket = connect(Number(port), hostname).setNoDelay()
    let text = ''
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      const end = text.indexOf('\r\n\r\n')
      if (end === -1) return
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0)
      if (text.length < end + 4 + length) return
      const isSuccess = text.startsWith('HTTP/1.1 2')
      text = ''
      socket.emit('answer', isSuccess)
    })
    socket.on('error', () => {})
    await new Promise((resolve) => socket.once('connect', resolve))
    return socket
  }

  #end(): void {
    const latencies = this.#latencies.sort((one, other) => one - other)
    const percentile = (share: number) => latencies[Math.ceil(latencies.length * share) - 1] ?? Number.NaN
    this.#settle?.({
      requests: this.#requests,
      perSecond: (latencies.length * 1_000) / (performance.now() - this.#started),
      p50: percentile(0.5),
      p99: percentile(0.99),
      p999: percentile(0.999),
      failed: this.#failed + this.#requests - latencies.length,
    })
  }
}

export type PacedLoadCommands = typeof commands

serve(commands)
