import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { copy, install, NEST, write } from '../consumer-project.js'
import { readManifest } from '../entries.js'
import { packBuilt } from '../packed.js'
import type { Stage } from './cell.js'

/** Frameworks, and what the file outbox, the redis outbox and the plan stand on. */
const USED_WITH = [
  'express',
  'koa',
  'fastify',
  'hono',
  '@hono/node-server',
  'classic-level',
  'redis',
  'ajv',
  '@types/node',
  // Nest 12 is ESM alone, which not every compiler lets CommonJS import.
  ...NEST.map((name) => (name.startsWith('@nestjs/') ? `${name}@11` : name)),
]

/**
 * Packs what was built and installs it into an empty project.
 *
 * @param directory - Where to.
 * @param isFull - Whether everything is to be run.
 */
export async function openStage(directory: string, isFull: boolean): Promise<Stage> {
  const { tarball } = await packBuilt(directory)
  const project = join(directory, 'project')
  write(project, 'package.json', JSON.stringify({ private: true }))
  const types = Object.keys(readManifest().peerDependencies).filter((name) => name.startsWith('@types/'))
  await install(project, tarball, [...USED_WITH, ...types])
  copy(project, 'drive.mjs', 'runtime', 'web', 'bundlers', 'runners')
  let folders = 0
  return {
    tarball,
    project,
    isFull,
    folder(name, type) {
      const folder = join(project, `${name.replaceAll(/[^\w.]+/g, '-')}-${folders++}`)
      mkdirSync(folder)
      if (type) write(folder, 'package.json', JSON.stringify({ private: true, type }))
      return folder
    },
  }
}
