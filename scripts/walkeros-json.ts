// Writes dist/walkerOS.json: what walkerOS's tools read of a package without running it.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import * as dev from '../src/dev.js'

/** What package.json has to tell for the file. */
export interface PackageInfo {
  readonly name: string
  readonly version: string
  readonly walkerOS?: {
    readonly type?: string
    readonly platform?: readonly string[]
    readonly docs?: string
  }
}

/**
 * Puts the content of `walkerOS.json` together: plain JSON, with functions as `{ $code }` and without zod schemas, whose
 * JSON Schemas are there beside them.
 */
export function walkerosJson({ name, version, walkerOS = {} }: PackageInfo): unknown {
  const { type = 'destination', platform = ['server'], docs } = walkerOS
  return plainJson({
    $meta: { package: name, version, type, platform, docs },
    schemas: dev.schemas,
    examples: dev.examples,
  })
}

/**
 * Writes `dist/walkerOS.json`.
 *
 * @param root - The package's folder, as a URL that ends with a slash.
 * @returns The path of the file.
 */
export async function writeWalkerosJson(root: URL): Promise<string> {
  const info: PackageInfo = JSON.parse(await readFile(new URL('package.json', root), 'utf8'))
  const file = new URL('dist/walkerOS.json', root)
  await mkdir(new URL('.', file), { recursive: true })
  await writeFile(file, `${JSON.stringify(walkerosJson(info), null, 2)}\n`)
  return fileURLToPath(file)
}

function plainJson(value: unknown): unknown {
  if (typeof value === 'function') return { $code: value.toString() }
  if (value instanceof Date) return value.toISOString()
  if (Array.isArray(value)) return value.map(plainJson)
  if (typeof value !== 'object' || value === null) return value
  const members = Object.entries(value).filter(
    ([, member]) => member !== undefined && !(member instanceof z.core.$ZodType),
  )
  return Object.fromEntries(members.map(([key, member]) => [key, plainJson(member)]))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const written = await writeWalkerosJson(new URL('../', import.meta.url))
  console.log(`wrote ${written}`)
}
