// Writes dist/config.schema.json: the configuration of createTracking as JSON Schema, for editors and for checks of JSON files.
import { mkdir, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { trackingConfigSchema } from '../src/config/schema.js'
import { zodOf } from '../src/destination/schemas/zod.js'
import { isRecord } from '../src/model/values.js'

/** The schema, draft 7, made from the one that `createTracking` validates with. Functions take any value: JSON has none. */
export function configJsonSchema(): Record<string, unknown> {
  const { '~standard': _, ...schema } = z.toJSONSchema(zodOf(trackingConfigSchema), {
    target: 'draft-7',
    unrepresentable: 'any',
    io: 'input',
  })
  // A JSON file names its schema.
  const properties = isRecord(schema.properties) ? schema.properties : {}
  return {
    ...schema,
    title: 'The configuration of reqtrack',
    properties: { $schema: { type: 'string' }, ...properties },
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const file = new URL('../dist/config.schema.json', import.meta.url)
  await mkdir(new URL('.', file), { recursive: true })
  await writeFile(file, `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
  console.log(`wrote ${fileURLToPath(file)}`)
}
