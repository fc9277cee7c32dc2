import { createServer } from 'node:http'
import type { WalkerOS } from '@walkeros/core'
import { type EcommerceRule, segmentEcommerce } from '../../src/destination/ecommerce.js'
import { type StepExample, step } from '../../src/destination/examples.js'
import type { ReceivedCall } from '../../src/testing/index.js'
import { recordTracking } from '../../src/testing/index.js'
import { literal } from './literal.js'

/** The parts of the mapping page that are made from the step examples and the ready rules. */
export const mappingParts: Readonly<Record<string, () => Promise<string>>> = {
  'step examples': async () => {
    const shown = Object.values(step).filter((example) => example.public !== false)
    return (await Promise.all(shown.map(section))).join('\n\n')
  },
  ecommerce: async () => {
    const { '*': _, ...entities } = segmentEcommerce()
    const rows = Object.entries(entities).flatMap(([entity, actions]) =>
      Object.entries<EcommerceRule>(actions).map(([action, rule]) =>
        ecommerceRow(`${entity} ${action}`, rule),
      ),
    )
    return ['| event | at Segment | `id` becomes |', '| --- | --- | --- |', ...rows].join('\n')
  },
}

function ecommerceRow(event: string, { name, data }: EcommerceRule): string {
  const [id] = Object.keys(data.fn({ data: { id: 1 } }))
  return `| \`${event}\` | ${name} | ${id === 'id' ? '' : `\`${id}\``} |`
}

async function section(example: StepExample): Promise<string> {
  const { title, description, in: event, mapping, settings } = example
  const parts = [`### ${title}`, description, code(`req.track(${literal(givenPart(event), '', 11)})`)]
  if (settings)
    parts.push(
      'With these settings:',
      code(`const settings: Partial<Settings> = ${literal(settings, '', 36)}`),
    )
  if (mapping) {
    const rules = { [event.entity]: { [event.action]: mapping } }
    parts.push('With this rule:', code(`const mapping: Rules = ${literal(rules, '', 23)}`))
  }
  const calls = await callsOf(example)
  parts.push('Segment gets:', code(calls.map(written).join('\n')))
  return parts.join('\n\n')
}

/** What a handler says of the event; the rest the tracking fills in. */
function givenPart({ name, data, user, nested, consent }: WalkerOS.Event): object {
  return Object.fromEntries(
    Object.entries({ name, data, user, nested, consent }).filter(
      ([, part]) => typeof part === 'string' || Object.keys(part).length > 0,
    ),
  )
}

/** What really comes of an example in a request. */
async function callsOf({ in: event, mapping, settings }: StepExample): Promise<readonly ReceivedCall[]> {
  const recorded = recordTracking({
    ...(settings && { settings }),
    ...(mapping && { mapping: { [event.entity]: { [event.action]: mapping } } }),
    request: { context: false },
  })
  const server = createServer((req, res) => {
    recorded.handle(req, res).track({ ...givenPart(event), name: event.name })
    res.end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  await fetch(`http://127.0.0.1:${address.port}`)
  await recorded.settled()
  server.close()
  if (recorded.drops.length > 0) throw new Error(`the event ${event.name} was dropped`)
  return recorded.calls
}

/** What a page shows of a call, in this order; not what all calls have: the time, the messageId, the client's name. */
const SHOWN = [
  'userId',
  'anonymousId',
  'groupId',
  'event',
  'category',
  'name',
  'traits',
  'properties',
  'context',
] as const

function written(call: ReceivedCall): string {
  const { library: _, ...context } = call.context ?? {}
  const members = new Map(Object.entries({ ...call, context }))
  if (Object.keys(context).length === 0) members.delete('context')
  const params = SHOWN.filter((name) => members.has(name)).map((name) => [name, members.get(name)])
  return `analytics.${call.type}(${literal(Object.fromEntries(params), '', call.type.length + 12)})`
}

function code(text: string): string {
  return `\`\`\`ts\n${text}\n\`\`\``
}
