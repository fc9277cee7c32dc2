import { startFlow } from '@walkeros/collector'
import { type SendWebTransport, sendWeb } from '@walkeros/web-core'

// A page with walkerOS's collector, whose destination sends as its API destination does, which is not on npm.
const transport = new URLSearchParams(location.search).get('transport') ?? 'fetch'
const isTransport = (name: string): name is SendWebTransport => ['fetch', 'beacon', 'xhr'].includes(name)
const { elb } = await startFlow({
  run: true,
  consent: { analytics: true },
  destinations: {
    api: {
      code: {
        type: 'api',
        config: {},
        push: (event) => {
          if (isTransport(transport)) sendWeb('/collect', JSON.stringify(event), { transport })
        },
      },
    },
  },
})
Object.assign(window, { elb })
document.body.dataset.ready = 'true'
