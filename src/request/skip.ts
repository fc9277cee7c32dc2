import { isbot } from 'isbot'
import type { Reader, TrackedRequest } from '../model/tracked-request.js'
import { markFactory } from './reader-factory.js'

/** Bots name themselves at the start of the header; the bound limits the cost of an endless one. */
const MAX_USER_AGENT_LENGTH = 512

/**
 * Answers `true` for a request of a bot, judged by its `User-Agent`. A request without that header does not count as a
 * bot's: your own servers and scripts often send none.
 *
 * @example
 * createTracking({ settings, request: { skip: [bots(), prefetches()] } })
 */
export function bots(): Reader<boolean> {
  return function bots(request) {
    return isBot(request)
  }
}

markFactory(bots, 'bots()')

/**
 * Answers `true` for a request that a browser makes ahead of time: nobody has seen the page yet, and perhaps nobody will.
 *
 * A browser that shows such a page later sends no new request, so the view of a prefetched page is not tracked.
 *
 * @example
 * createTracking({ settings, request: { skip: prefetches() } })
 */
export function prefetches(): Reader<boolean> {
  return function prefetches(request) {
    return isPrefetch(request)
  }
}

markFactory(prefetches, 'prefetches()')

/** Whether the sender calls itself a bot. */
export function isBot({ headers }: TrackedRequest): boolean {
  return isbot(headers['user-agent']?.slice(0, MAX_USER_AGENT_LENGTH))
}

/**
 * Whether a browser loads something that it may never show.
 *
 * Source: Fetch, "Sec-Purpose"; before it `Purpose` (Chrome), `X-Moz` (Firefox) and `X-Purpose` (Safari). Scripts cannot set
 * it: Turbo sends `X-Sec-Purpose`.
 */
export function isPrefetch({ headers }: TrackedRequest): boolean {
  return (
    startsWith(headers['sec-purpose'], 'prefetch') ||
    startsWith(headers['x-sec-purpose'], 'prefetch') ||
    startsWith(headers.purpose, 'prefetch') ||
    startsWith(headers['x-moz'], 'prefetch') ||
    startsWith(headers['x-purpose'], 'preview')
  )
}

function startsWith(header: string | string[] | undefined, token: string): boolean {
  return typeof header === 'string' && header.slice(0, token.length).toLowerCase() === token
}
