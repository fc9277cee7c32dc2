import { isbot } from 'isbot'
import type { Reader, TrackedRequest } from '../model/tracked-request.js'

/** Bots name themselves at the start of the header; the bound keeps an endless one from costing time. */
const MAX_USER_AGENT_LENGTH = 512

/**
 * Says of a request whether a bot sent it, by what it calls itself in `User-Agent`. A request without that header is
 * not counted as a bot: servers and scripts of one's own often send none.
 *
 * @example
 * createTracking({ settings, request: { skip: [bots(), prefetches()] } })
 */
export function bots(): Reader<boolean> {
  return function bots(request) {
    return isBot(request)
  }
}

/**
 * Says of a request whether the browser made it ahead of time: nobody has seen the page yet, and nobody may ever.
 *
 * A browser that shows such a page later asks for nothing anew, so a view of a page that was prefetched is not tracked.
 *
 * @example
 * createTracking({ settings, request: { skip: prefetches() } })
 */
export function prefetches(): Reader<boolean> {
  return function prefetches(request) {
    return isPrefetch(request)
  }
}

/** Whether the sender calls itself a bot. */
export function isBot({ headers }: TrackedRequest): boolean {
  return isbot(headers['user-agent']?.slice(0, MAX_USER_AGENT_LENGTH))
}

/**
 * Whether a browser loads something that it may never show.
 *
 * Source: Fetch, "Sec-Purpose"; before it `Purpose` (Chrome), `X-Moz` (Firefox) and `X-Purpose` (Safari).
 */
export function isPrefetch({ headers }: TrackedRequest): boolean {
  return (
    startsWith(headers['sec-purpose'], 'prefetch') ||
    startsWith(headers.purpose, 'prefetch') ||
    startsWith(headers['x-moz'], 'prefetch') ||
    startsWith(headers['x-purpose'], 'preview')
  )
}

function startsWith(header: string | string[] | undefined, token: string): boolean {
  return typeof header === 'string' && header.slice(0, token.length).toLowerCase() === token
}
