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
Or use the shop from another terminal. The first two lines come with a choice, as a consent banner would record it. The last one
has none, so the visit of a product is dropped: the inspector says why.

  curl -c cookies.txt -b 'consent={"analytics":true,"marketing":true}' -d user=ada ${url}/login
  curl -b cookies.txt -b 'consent={"analytics":true,"marketing":true}' -d product=tent -d quantity=2 ${url}/orders
  curl ${url}/products/tent

Each call shows here when it has arrived. Ctrl-C ends the demo.
`)
}
