import { fork } from 'node:child_process'
import { connect } from 'node:net'
import { fileURLToPath } from 'node:url'
import { createSegmentServer } from '../../src/testing/index.js'
import type { Asked, Ports, Spent } from './cost-server.js'

const REQUESTS = 160
const CONNECTIONS = 4

/** What a request costs a server. */
export type Costs = (server: keyof Ports, bytes: Buffer) => Promise<Spent>

/** A process of its own with servers in it, which sends what it tracks to an endpoint in this one. */
export async function openCostMeter(): Promise<{ readonly costs: Costs; close(): Promise<void> }> {
  const segment = await createSegmentServer()
  const child = fork(fileURLToPath(new URL('cost-server.ts', import.meta.url)), {
    // No collection of young objects comes between: what is allocated can be counted.
    execArgv: ['--import', 'tsx', '--min-semi-space-size=256', '--max-semi-space-size=256'],
    env: { ...process.env, NODE_OPTIONS: '', SEGMENT: segment.url },
  })
  const answer = <T>() =>
    new Promise<T>((resolve, reject) => {
      const gone = (code: number | null) => reject(new Error(`the process of the servers ended with ${code}`))
      child.once('exit', gone)
      child.once('message', (message: T) => {
        child.off('exit', gone)
        resolve(message)
      })
    })
  const ask = <T>(asked: Asked) => {
    child.send(asked)
    return answer<T>()
  }
  const ports = await answer<Ports>()
  const costs: Costs = async (server, bytes) => {
    await ask('begin')
    await Promise.all(Array.from({ length: CONNECTIONS }, () => load(ports[server], bytes)))
    const { us, allocated } = await ask<Spent>('count')
    return { us: us / REQUESTS, allocated: allocated / REQUESTS }
  }
  const close = async () => {
    child.removeAllListeners('exit').kill('SIGKILL')
    await segment.close()
  }
  return { costs, close }
}

/** A request as a browser sends it, with whatever it has in its headers. */
export function requestOf(url: string, headers: object): Buffer {
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${value}`],
  )
  return Buffer.from([`GET ${url} HTTP/1.1`, ...lines, '', ''].join('\r\n'), 'latin1')
}

/** Sends requests over one connection, each after the answer to the one before. */
function load(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let left = REQUESTS / CONNECTIONS
    let received = ''
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    socket.on('error', reject)
    socket.on('close', () =>
      left === 0 ? resolve() : reject(new Error(`refused: ${received.slice(0, 80)}`)),
    )
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1')
      if (!received.endsWith('\r\nok')) return
      received = ''
      if (--left === 0) socket.end()
      else socket.write(bytes)
    })
    socket.write(bytes)
  })
}
