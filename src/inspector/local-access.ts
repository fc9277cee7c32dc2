import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { type Host, isLoopbackAddress, isLoopbackName, parseHost } from './host.js'

/** Headers that proxies, load balancers, CDNs and tunnels add: the peer is then not the one who asks. */
const FORWARDING = new RegExp(
  [
    '^forwarded$|^via$|^cdn-loop$|^x-forwarded(-|$)|^x-original-(for|forwarded|host|proto)',
    '^(x-)?(real|client|true-client|cluster-client|remote|proxyuser)-?(ip|addr)$',
    '^(cf|fastly|fly|tailscale|x-envoy|x-azure|x-arr|x-amzn|x-amz-cf|x-appengine|x-vercel|x-nf)-',
  ].join('|'),
)
const FORWARDED_HOST = /(?:^|[;,\s])host="?([^";,\s]*)/gi

/** Why a request is refused. */
export interface LocalRefusal {
  /** The reason: completes the sentence "This request …". */
  readonly reason: string
  /** The host that the option `hosts` would have to list. */
  readonly host: string
}

/**
 * Judges a request when there is no `authorize`: it has to come from this machine, or be addressed to a listed host.
 *
 * The name is checked because a page of any site can point its own name at `127.0.0.1` (DNS rebinding); the browser
 * then takes the inspector for a part of that site, but still sends the site's name. Every other header of the request
 * can be forged by the page, so none can make up for a foreign `Host`.
 *
 * @param listed - The hosts that the application lists: a request to one of them may come from anywhere.
 * @returns `undefined` if the request may be answered.
 */
export function refuseUnlessLocal(
  { headers, socket }: IncomingMessage,
  listed: readonly Host[],
): LocalRefusal | undefined {
  const isListed = ({ name, port }: Host) =>
    listed.some((host) => host.name === name && (host.port === undefined || host.port === port))
  const hosts: Host[] = []
  for (const text of hostsOf(headers)) {
    const host = parseHost(text)
    if (!host) return { reason: 'names a host that is not valid', host: EXAMPLE }
    if (!isLoopbackName(host.name) && !isListed(host)) {
      return { reason: `is addressed to ${host.name}, which is no loopback name`, host: host.name }
    }
    hosts.push(host)
  }
  const [host] = hosts
  if (!host) return { reason: 'has no Host header', host: EXAMPLE }
  if (hosts.some(isListed)) return undefined

  const peer = socket.remoteAddress
  if (peer === undefined) return { reason: 'comes from a peer that has no network address', host: host.name }
  if (!isLoopbackAddress(peer)) return { reason: `comes from another machine, ${peer}`, host: host.name }
  const header = Object.keys(headers).find((name) => FORWARDING.test(name))
  if (header === undefined) return undefined
  return { reason: `came through a proxy, which added the header ${header}`, host: host.name }
}

/** A name for the message when the request has none. */
const EXAMPLE = 'dev.example'

/** Every host that a request names: its own, and those that proxies say it was addressed to. */
function hostsOf(headers: IncomingHttpHeaders): string[] {
  const own = [headers[':authority'], headers.host].filter((value) => value !== undefined)
  const forwarded = [headers['x-forwarded-host'], headers['x-original-host']]
    .flat()
    .flatMap((value) => value?.split(',') ?? [])
    .map((value) => value.trim())
  const standard = [...(headers.forwarded ?? '').matchAll(FORWARDED_HOST)].map(([, host = '']) => host)
  return [...own.flat(), ...forwarded, ...standard]
}

/** @returns The text that a refused request is answered with. */
export function explainRefusal({ reason, host }: LocalRefusal, mounted: string): string {
  return [
    'The inspector shows personal data. Without the option `authorize` it answers only requests from this machine,',
    `addressed to a loopback name such as localhost. This request ${reason}.`,
    '',
    'Say who may look:',
    '',
    `    ${mounted}(tracking, { authorize: (request) => … })`,
    '',
    'Or list the host, if nobody else can reach it (Docker, Codespaces):',
    '',
    `    ${mounted}(tracking, { hosts: ['${host}'] })`,
    '',
  ].join('\n')
}
