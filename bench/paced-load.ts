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
  /** Connections that the server has closed; each is opened anew. */
  readonly closed: number
}

/** Requests that are due in the same millisecond begin together. */
const TICK_MS = 1
const RECONNECT_MS = 100
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
  #unanswered = 0
  #closed = 0
  #isOver = false
  readonly #sockets = new Set<Socket>()
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
    await Promise.all(Array.from({ length: this.#load.connections }, () => this.#connect()))
    const settled = new Promise<PacedResult>((resolve) => {
      this.#settle = resolve
    })
    this.#started = performance.now()
    const ticking = setInterval(() => this.#tick(), TICK_MS)
    const patience = setTimeout(() => this.#end(), this.#load.seconds * 1_000 + PATIENCE_MS)
    const result = await settled
    clearInterval(ticking)
    clearTimeout(patience)
    this.#isOver = true
    for (const socket of this.#sockets) socket.destroy()
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
      socket.once('answer', (isSuccess: boolean | undefined) => {
        if (isSuccess === undefined) this.#unanswered++
        else this.#latencies.push(performance.now() - due)
        if (!isSuccess) this.#failed++
        if (isSuccess !== undefined) this.#free.push(socket)
        if (this.#latencies.length + this.#unanswered === this.#requests) this.#end()
        else this.#begin()
      })
    }
  }

  /** Has a connection from now on, and another one where the server closes it. */
  async #connect(): Promise<void> {
    const socket = await this.#open()
    if (socket.destroyed) return this.#connectLater()
    this.#sockets.add(socket)
    this.#free.push(socket)
    socket.once('close', () => {
      this.#sockets.delete(socket)
      const index = this.#free.indexOf(socket)
      if (index >= 0) this.#free.splice(index, 1)
      if (this.#isOver) return
      this.#closed++
      socket.emit('answer', undefined)
      this.#connectLater()
    })
  }

  #connectLater(): void {
    if (!this.#isOver) setTimeout(() => void this.#connect().then(() => this.#begin()), RECONNECT_MS)
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
    await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))
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
      failed: this.#failed + this.#requests - latencies.length - this.#unanswered,
      closed: this.#closed,
    })
  }
}

export type PacedLoadCommands = typeof commands

serve(commands)
