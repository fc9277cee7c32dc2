import { INSPECTOR_PATH, runShop } from './running-shop.js'
import type { Shop } from './shops.js'

/** Opens a shop for a person to use, and prints what it tracks until they end it. */
export async function openShop(shop: Shop, port: number, print: (line: string) => void): Promise<void> {
  const { url, server, tracking } = await runShop(shop, port, print)
  tracking.shutdownOnSignals({ server })
  print(`
A shop on ${shop.framework}, tracking to a Segment endpoint on this machine. Open it in a browser:

  ${url}

Watch every request and its events on their way:

  ${url}${INSPECTOR_PATH}/
${
  shop.hint === undefined
    ? ''
    : `
${shop.hint}
`
}
Or use the shop from another terminal:

  curl -c cookies.txt -d user=ada ${url}/login
  curl -b cookies.txt -d product=tent -d quantity=2 ${url}/orders
  curl -b cookies.txt -d company=engines ${url}/company

Each call shows here when it has arrived. Ctrl-C ends the demo.
`)
}
