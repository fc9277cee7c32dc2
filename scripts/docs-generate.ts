// Writes the generated parts of the documentation: see docs/generated.ts.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { regenerated } from './docs/generated.js'
import { readPages } from './docs/pages.js'
import { root } from './entries.js'

for (const page of readPages()) {
  const text = await regenerated(page)
  if (text === page.text) continue
  writeFileSync(join(root, page.path), text)
  console.log(`${page.path} is up to date now`)
}
