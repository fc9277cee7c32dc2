import { dirname, join } from 'node:path'
import { versionOf } from './packages.js'
import type { Finding } from './report.js'

/** The frameworks with an adapter, and the major versions that it is for. */
const FRAMEWORKS: Readonly<Record<string, { readonly adapter: string; readonly majors: readonly number[] }>> =
  {
    express: { adapter: 'reqtrack/express', majors: [4, 5] },
    koa: { adapter: 'reqtrack/koa', majors: [2, 3] },
    fastify: { adapter: 'reqtrack/fastify', majors: [5] },
    hono: { adapter: 'reqtrack/hono', majors: [4] },
    '@nestjs/core': { adapter: 'reqtrack/nestjs', majors: [10, 11, 12] },
    next: { adapter: 'reqtrack/fetch', majors: [14, 15, 16] },
  }

/** Looks for the frameworks that an application in a folder can load. */
export function checkFrameworks(directory: string): Finding {
  const found = Object.entries(FRAMEWORKS).flatMap(([name, { adapter, majors }]) => {
    const version = versionFrom(directory, name)
    if (version === undefined) return []
    return [{ name, version, adapter, isFit: majors.includes(Number.parseInt(version, 10)), majors }]
  })
  if (found.length === 0)
    return {
      state: 'unknown',
      about: 'framework',
      lines: [
        'none of those with an adapter: use tracking.handle(req, res), or withTracking() of reqtrack/fetch',
      ],
    }
  return {
    state: found.every(({ isFit }) => isFit) ? 'ok' : 'wrong',
    about: 'framework',
    lines: found.map(({ name, version, adapter, isFit, majors }) =>
      isFit
        ? `${name} ${version}: use ${adapter}`
        : `${name} ${version}: ${adapter} is for ${majors.join(' and ')}`,
    ),
  }
}

/** Looks where Node would: in the folder's `node_modules`, and in those above it. */
function versionFrom(directory: string, name: string): string | undefined {
  for (let at = directory; ; at = dirname(at)) {
    const version = versionOf(join(at, 'node_modules', name))
    if (version !== undefined || dirname(at) === at) return version
  }
}
