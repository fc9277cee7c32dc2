// The outbox as the blocks of the documentation get it where they are run: in a directory that goes with the process.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as outboxFile from '../../src/delivery/outbox/file.js'

export * from '../../src/delivery/outbox/file.js'

/** As the package's own, but for where it is. */
export function fileOutbox(options: outboxFile.FileOutboxOptions): outboxFile.Outbox {
  const directory = mkdtempSync(join(tmpdir(), 'reqtrack-docs-'))
  process.on('exit', () => rmSync(directory, { recursive: true, force: true }))
  return outboxFile.fileOutbox({ ...options, directory })
}
