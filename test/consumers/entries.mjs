// Imports and requires every entry of the installed package: both ways have to offer the same.
import assert from 'node:assert/strict'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const { exports } = require('reqtrack/package.json')

for (const [subpath, target] of Object.entries(exports)) {
  const specifier = `reqtrack${subpath.slice(1)}`
  if (typeof target === 'string') {
    assert.ok(require(specifier), `${specifier} is empty`)
    continue
  }
  const imported = Object.keys(await import(specifier)).sort()
  const required = Object.keys(require(specifier)).sort()
  assert.ok(imported.length > 0, `${specifier} exports nothing`)
  assert.deepEqual(required, imported, `${specifier}: required and imported differ`)
}
