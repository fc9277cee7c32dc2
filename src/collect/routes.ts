/** What an address below an endpoint is for. */
export type Route =
  /** The endpoint itself takes walkerOS's events. */
  | { readonly kind: 'walkeros' }
  /** One call of analytics.js, of the type that the address names. */
  | { readonly kind: 'call'; readonly type: string }
  /** Several calls of analytics.js. */
  | { readonly kind: 'batch' }
  /** The metrics that analytics.js sends of itself. */
  | { readonly kind: 'metrics' }

/** Source: `@segment/analytics-next` 1.84: the first letter of a call's type, `b` for batches, `m` for metrics. */
const ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ['', { kind: 'walkeros' }],
  ['t', { kind: 'call', type: 'track' }],
  ['p', { kind: 'call', type: 'page' }],
  ['i', { kind: 'call', type: 'identify' }],
  ['g', { kind: 'call', type: 'group' }],
  ['s', { kind: 'call', type: 'screen' }],
  ['a', { kind: 'call', type: 'alias' }],
  ['b', { kind: 'batch' }],
  ['batch', { kind: 'batch' }],
  ['m', { kind: 'metrics' }],
])

/**
 * Finds what an address is for.
 *
 * @param path - The path below the endpoint: `/t`, `/v1/t`, `/` or nothing.
 */
export function routeOf(path: string): Route | undefined {
  const [, prefix = '', rest] = /^\/?(v1(?:\/|$))?(.*?)\/?$/.exec(path) ?? []
  return rest === undefined || (prefix !== '' && rest === '') ? undefined : ROUTES.get(rest)
}
