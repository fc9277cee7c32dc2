import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { ClosingServer } from '../../src/shutdown/closing-server.js'
import { serve } from '../support/servers.js'

/** Longer than a connection may take to begin a request. */
const LONG_MS = 1_500

it('answers an open request where the runtime does not say that its connection was read from, as Bun does', async () => {
  let begun = () => {}
  const isOpen = new Promise<void>((resolve) => {
    begun = resolve
  })
  const { url, server } = await serve(async (_req, res) => {
    begun()
    await wait(LONG_MS)
    res.end('done')
  })
  server.on('connection', (socket) => Object.defineProperty(socket, 'bytesRead', { get: () => 0 }))
  const closing = new ClosingServer(server)
  const answered = fetch(url).then((response) => response.text())
  await isOpen
  await closing.close(8_000)
  expect(await answered).toBe('done')
})
