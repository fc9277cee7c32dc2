import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { startChild } from './child.js'
import type { AppOptions } from './fixtures/app.js'

/** Runs the server that shuts down by signals, and waits until it listens. */
export async function startApp(options: AppOptions) {
  const child = startChild('app.ts', options)
  const [ready] = await child.tell('ready')
  const ports = ready?.ports ?? []
  return { ...child, ports, url: `http://127.0.0.1:${ports[0]}` }
}

/** A connection that says only what the test makes it say. */
export async function connected(port: number | undefined): Promise<Socket> {
  const socket = connect({ port: port ?? 0, host: '127.0.0.1' })
  onTestFinished(() => {
    socket.destroy()
  })
  await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject))
  socket.on('error', () => {})
  return socket
}
