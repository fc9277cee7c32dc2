import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '../processes.js'
import { openApplication } from './applications.js'
import type { ServerOptions } from './options.js'
import { openWay } from './tracking.js'
import type { Way } from './way.js'

let way: Way = {}
let handled = () => 0

const commands = {
  /** Starts to listen. */
  async listen(options: ServerOptions): Promise<string> {
    way = await openWay(options)
    const application = await openApplication(options, way)
    handled = application.handled
    const server = createServer(application.listener)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as AddressInfo
    return `http://127.0.0.1:${port}/orders`
  },
  /** Microseconds of CPU so far, memory in bytes, requests handled. */
  usage() {
    const { user, system } = process.cpuUsage()
    return {
      cpu: user + system,
      rss: process.memoryUsage.rss(),
      peak: process.resourceUsage().maxRSS * 1024,
      handled: handled(),
    }
  },
  books: () => way.books?.(),
}

export type ServerCommands = typeof commands

serve(commands)
