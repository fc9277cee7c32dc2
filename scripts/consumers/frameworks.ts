import { dirname } from 'node:path'
import { type FrameworkApplication, nest, useFramework } from '../framework-application.js'
import type { Cell } from './cell.js'

const WHAT = 'an application compiled, imported and required, an order delivered, and SIGTERM'

interface Framework extends FrameworkApplication {
  readonly limit?: Cell['limit']
}

const FRAMEWORKS: readonly Framework[] = [
  ...[5, 4].map((major) => ({
    name: `Express ${major}`,
    directory: 'express',
    packages: [`express@${major}`, `@types/express@${major}`, '@types/node'],
  })),
  ...[3, 2].map((major) => ({
    name: `Koa ${major}`,
    directory: 'koa',
    packages: [`koa@${major}`, `@types/koa@${major}`, '@types/node'],
  })),
  { name: 'Fastify 5', directory: 'fastify', packages: ['fastify@5', '@types/node'] },
  { name: 'Hono 4', directory: 'hono', packages: ['hono@4', '@hono/node-server', '@types/node'] },
  ...[12, 11, 10].map((major) => nest(major, 'Express')),
  ...[12, 11].map((major) => nest(major, 'Fastify')),
  {
    ...nest(10, 'Fastify'),
    limit: {
      says: /expected '5\.x' fastify version, '4[.\d]+' is installed/,
      note: "Nest 10's platform is Fastify 4: `reqtrack - expected '5.x' fastify version` when the application starts",
    },
  },
]

export const frameworks: readonly Cell[] = FRAMEWORKS.map(({ limit, ...application }) => ({
  area: 'Frameworks',
  name: application.name,
  what: WHAT,
  ...(limit && { limit }),
  // Not below the project, whose packages would be found.
  run: ({ tarball }) => useFramework(application, tarball, dirname(tarball)),
}))
