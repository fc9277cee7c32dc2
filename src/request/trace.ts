/** The place of a request in a distributed trace. */
export interface TraceParent {
  /** The trace: 32 lower-case hex digits. */
  readonly trace: string
  /** The caller's span: 16 lower-case hex digits. */
  readonly parent: string
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-?)$/
/** Version, ids, flags and the dashes between them. */
const LENGTH = 55
const ZEROS = /^0+$/

/**
 * Parses a `traceparent` header as strictly as its specification: lower-case, a single value, no id all zero, not version
 * `ff`; only versions after `00` may have more after the flags.
 *
 * Source: W3C Trace Context, section 3.2.
 *
 * @param header - The header; several of them count as none.
 *
 * @example
 * parseTraceparent('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01')
 * // { trace: '0af7651916cd43dd8448eb211c80319c', parent: 'b7ad6b7169203331' }
 */
export function parseTraceparent(header: string | string[] | undefined): TraceParent | undefined {
  if (typeof header !== 'string') return undefined
  const [, version, trace, parent, more] = TRACEPARENT.exec(header.slice(0, LENGTH + 1)) ?? []
  if (trace === undefined || parent === undefined) return undefined
  if (version === 'ff' || (version === '00' && more !== '')) return undefined
  return ZEROS.test(trace) || ZEROS.test(parent) ? undefined : { trace, parent }
}
