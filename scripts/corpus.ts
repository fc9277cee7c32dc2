import { readFileSync } from 'node:fs'
import { differencesOf, expectations } from './corpus/check.js'
import { toItem, unknownFields } from './corpus/item.js'

// Runs the readers of identity, consent and context over a file of requests and the answers that they must give.

const USAGE = `npm run corpus -- FILE

FILE is a JSON array of requests: { id, headers, auth, options, expect, confidence }.

Each request is taken by Express, or by Koa where auth.koa is given, and read as a tracking reads it:
- userId by signedInUser(); anonymousId by segmentCookie() and then walkerOSCookies(), or by options.anonymousIdFrom;
- consent by the reader of expect.cmp, with options.categoryMap, and after it by globalPrivacyControl(), gpp() and
  usPrivacy(); by the readers of all managers where it names none, or one that no server can read;
- what the site has to tell a reader, such as { revision: 2 } or { key: '…' }, is in options.reader.

Prints a line for each item of high or medium confidence that differs, a line for each field that it does not know,
and a summary. Exits with 1 where there is such a line, with 2 where it cannot read the file.`

const [file, ...more] = process.argv.slice(2)
if (file === '--help' || file === '-h') console.log(USAGE)
else if (file === undefined || more.length > 0) fail(USAGE)
else run(file)

function run(path: string): void {
  const items = readItems(path)
  if (!items) return
  const differing = items.flatMap((value, index) => differenceOf(value, index) ?? [])
  const unknown = countUnknown(items)
  for (const line of differing) console.log(line)
  for (const [field, count] of unknown) console.log(`unknown field ${field} (items: ${count})`)
  const skipped = items.filter((value) => Object(value).confidence === 'low').length
  console.log(
    `${items.length} items: ${items.length - skipped} checked, ${skipped} of low confidence not checked, ` +
      `${differing.length} differ; ${unknown.size} unknown fields`,
  )
  if (differing.length > 0 || unknown.size > 0) process.exitCode = 1
}

function readItems(path: string): unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (Array.isArray(parsed)) return parsed
    fail(`${path} is no corpus: expected a JSON array of requests`)
  } catch (error) {
    fail(`${path} cannot be read: ${messageOf(error)}`)
  }
}

function differenceOf(value: unknown, index: number): string | undefined {
  try {
    const item = toItem(value, index)
    const differences = item.isBinding ? differencesOf(item) : []
    return differences.length > 0 ? `${item.id}: ${differences.join('; ')}` : undefined
  } catch (error) {
    return messageOf(error)
  }
}

/** How many items have each field that is not known. */
function countUnknown(items: readonly unknown[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const item of items) {
    for (const field of unknownFields(item, expectations)) counts.set(field, (counts.get(field) ?? 0) + 1)
  }
  return counts
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function fail(message: string): void {
  console.error(message)
  process.exitCode = 2
}
