import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { expect, it, vi } from 'vitest'
import { expressTracking } from '../../src/frameworks/express.js'
import { recordTracking } from '../../src/testing/index.js'
import { serve } from '../support/servers.js'

/** The timers that repeat and run, of this package. */
const running = vi.hoisted(() => new Set<NodeJS.Timeout>())

vi.mock('../../src/support/clock.js', async (original) => {
  const clock = await original<typeof import('../../src/support/clock.js')>()
  const setInterval = (look: () => void, ms: number) => {
    const timer = clock.setInterval(look, ms)
    running.add(timer)
    return timer
  }
  const clearInterval = (timer: NodeJS.Timeout) => {
    running.delete(timer)
    clock.clearInterval(timer)
  }
  return { ...clock, setInterval, clearInterval }
})

it('looks at open requests with one timer, which keeps no process alive, until none is open', async () => {
  const tracking = recordTracking()
  const open: ServerResponse[] = []
  const track = expressTracking(tracking)
  const { url, server } = await serve((req, res) => {
    // What Express adds to them is of no interest here.
    track(req as never, res as never, () => {
      open.push(res)
    })
  })
  expect(running.size).toBe(0)
  const responses = ['/one', '/two'].map((path) => fetch(url + path))
  while (open.length < 2) await once(server, 'request')
  expect([...running].map((timer) => timer.hasRef())).toEqual([false])
  for (const response of open) response.end('ok')
  for (const response of responses) await (await response).text()
  await expect.poll(() => running.size).toBe(0)
})
