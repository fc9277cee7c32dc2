import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { isRecord } from '../../model/values.js'
import { declarationsOf } from './declarations.js'
import { type Finding, findingsOfEvents, findingsOfMapping, findingsOfPlan } from './findings.js'
import { readJson, readPlanFile, readText, UnusableFile } from './plan-file.js'

const OPTIONS = {
  out: { type: 'string' },
  config: { type: 'string' },
  events: { type: 'string' },
  contract: { type: 'string' },
  'allow-unenforced': { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const

/**
 * Runs `npx reqtrack plan …`.
 *
 * @param usage - What to print where it is not clear what is wanted.
 * @returns The exit code: 0, 1 where something is wrong with the plan, 2 where there was nothing to work on.
 */
export async function planCommand(args: string[], usage: string): Promise<number> {
  try {
    const { positionals, values } = parseArgs({ args, allowPositionals: true, options: OPTIONS })
    const [command, path, ...more] = positionals
    if (values.help) {
      console.log(usage)
      return 0
    }
    const isClear = path !== undefined && more.length === 0
    if (isClear && command === 'types') return types(path, values)
    if (isClear && command === 'check') return await check(path, values)
    console.error(usage)
    return 2
  } catch (error) {
    if (!(error instanceof UnusableFile) && !isOfArguments(error)) throw error
    console.error(`reqtrack: ${error.message}`)
    return 2
  }
}

function isOfArguments(error: unknown): error is TypeError {
  return error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS')
}

interface Options {
  readonly out?: string | undefined
  readonly config?: string | undefined
  readonly events?: string | undefined
  readonly contract?: string | undefined
  readonly 'allow-unenforced'?: boolean | undefined
}

function types(path: string, { out, contract }: Options): number {
  const file = readPlanFile(path, contract)
  for (const { path: place, message } of file.problems) console.error(`${place || 'plan'}: ${message}`)
  if (file.problems.length > 0) return 1
  const text = declarationsOf(file, path)
  if (out === undefined) process.stdout.write(text)
  else writeFileSync(out, text)
  return 0
}

async function check(path: string, options: Options): Promise<number> {
  const { config, events, contract } = options
  const file = readPlanFile(path, contract)
  const mapping = config === undefined ? {} : await readMapping(config)
  const findings: Finding[] = [
    ...findingsOfPlan(file, contract),
    ...(config === undefined ? [] : findingsOfMapping(file, mapping)),
    ...(events === undefined ? [] : findingsOfEvents(file, mapping, readNames(events))),
  ]
  for (const { path: place, message } of findings) console.log(`${place || 'plan'}: ${message}`)
  const faults = options['allow-unenforced']
    ? findings.filter(({ kind }) => kind !== 'not enforced')
    : findings
  const count = file.events.length === 1 ? '1 event' : `${file.events.length} events`
  console.log(
    `${path}: ${count}, ${findings.length === 0 ? 'nothing wrong' : `${findings.length} to look at`}`,
  )
  return faults.length === 0 ? 0 : 1
}

/** The mapping of a config: a JSON file, or a module with `mapping`, `config` or a default export. */
async function readMapping(path: string): Promise<Readonly<Record<string, unknown>>> {
  const loaded: unknown = path.endsWith('.json') ? readJson(path) : await importFile(path)
  const places = isRecord(loaded) ? [loaded, loaded.default, loaded.config] : [loaded]
  for (const place of places) if (isRecord(place) && isRecord(place.mapping)) return place.mapping
  throw new UnusableFile(
    `${path} has no mapping: expected an export mapping, or a config with one as config or by default`,
  )
}

async function importFile(path: string): Promise<unknown> {
  readText(path)
  try {
    return { ...(await import(pathToFileURL(resolve(path)).href)) }
  } catch (error) {
    throw new UnusableFile(`${path} cannot be imported: ${error instanceof Error ? error.message : error}`)
  }
}

/** Names of events: one a line, or events of walkerOS or Segment as lines or a list of JSON. */
function readNames(path: string): string[] {
  const text = readText(path).trim()
  if (text.startsWith('[')) {
    const list = readJson(path)
    return Array.isArray(list) ? list.flatMap(nameOf) : []
  }
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== '')
  return lines.flatMap((line) => (line.startsWith('{') ? nameOf(parsed(line, path)) : [line.trim()]))
}

function parsed(line: string, path: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    throw new UnusableFile(`${path} has a line that begins as JSON and is none`)
  }
}

function nameOf(value: unknown): string[] {
  const name: unknown = isRecord(value) ? (value.name ?? value.event) : value
  return typeof name === 'string' ? [name] : []
}
