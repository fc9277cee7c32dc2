import { parseArgs } from 'node:util'

/** A request that a `curl` line asks for. */
export interface CurlRequest {
  readonly url: URL
  readonly init: RequestInit
}

/**
 * Reads the `curl` lines of a shell block, of which the documentation uses but a little of what curl can do.
 *
 * @throws If a line has an option that is not known here.
 */
export function readCurl(text: string): CurlRequest[] {
  return text
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.startsWith('curl '))
    .map(readLine)
}

function readLine(line: string): CurlRequest {
  const { values, positionals } = parseArgs({
    args: wordsOf(line).slice(1),
    allowPositionals: true,
    options: {
      request: { type: 'string', short: 'X' },
      header: { type: 'string', short: 'H', multiple: true, default: [] },
      cookie: { type: 'string', short: 'b' },
      json: { type: 'string' },
    },
  })
  const [address = ''] = positionals
  const headers = new Headers(values.header.map((header): [string, string] => nameAndValue(header)))
  if (values.cookie !== undefined) headers.set('cookie', values.cookie)
  if (values.json !== undefined) headers.set('content-type', 'application/json')
  const method = values.request ?? (values.json === undefined ? 'GET' : 'POST')
  return {
    url: new URL(/^https?:/.test(address) ? address : `http://${address}`),
    init: { method, headers, ...(values.json !== undefined && { body: values.json }) },
  }
}

function nameAndValue(header: string): [string, string] {
  const colon = header.indexOf(':')
  return [header.slice(0, colon), header.slice(colon + 1).trim()]
}

/** Words as a shell splits them, with single and double quotes. */
function wordsOf(line: string): string[] {
  return [...line.replace(/\s#\s.*$/, '').matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  )
}
