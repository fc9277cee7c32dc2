/** Parameters that begin after it are ignored. */
const MAX_QUERY_LENGTH = 2048
/** Twice the length of the longest useful parameter, a click id. */
const MAX_VALUE_LENGTH = 512
/** Twice as many as are read of any page. */
const MAX_WANTED = 64

/** A query parameter; name and value are not decoded. */
export interface QueryParameter {
  readonly name: string
  readonly value: string
}

/**
 * Splits a query into its parameters, without decoding them. Parameters without a value, with a value of more than 512
 * characters, or after the first 2048 characters are left out.
 *
 * @param search - The query with its `?`, as `URL.search` gives it.
 * @param isWanted - Whether a name is read at all: of those, the first 64 are taken. By default all are.
 * @param allowed - Is handed on to it.
 */
export function parseQuery(
  search: string,
  isWanted?: (name: string, allowed: readonly string[]) => boolean,
  allowed: readonly string[] = [],
): QueryParameter[] {
  const parameters: QueryParameter[] = []
  const most = isWanted ? MAX_WANTED : MAX_QUERY_LENGTH
  let equals = 0
  for (let start = 1; start < search.length && start < MAX_QUERY_LENGTH && parameters.length < most; ) {
    const ampersand = search.indexOf('&', start)
    const end = ampersand === -1 ? search.length : ampersand
    // Not looked for again before it is reached: a query without any would be searched to its end for every parameter.
    if (equals < start) {
      equals = search.indexOf('=', start)
      if (equals === -1) break
    }
    const valueLength = end - equals - 1
    if (equals > start && valueLength > 0 && valueLength <= MAX_VALUE_LENGTH) {
      const name = search.slice(start, equals)
      if (!isWanted || isWanted(name, allowed))
        parameters.push({ name, value: search.slice(equals + 1, end) })
    }
    start = end + 1
  }
  return parameters
}
