import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { consumers, copy, install, NEST, write } from './consumer-project.js'
import { node } from './run-command.js'

const tsc = createRequire(import.meta.url).resolve('typescript/bin/tsc')
const COMPILE_TIMEOUT_MS = 600_000
/** Of the applications' orders. */
const ROUTE = '/orders'

/** An application of a framework that uses the package as its users do, imported and required. */
export interface FrameworkApplication {
  /** The framework and its version. */
  readonly name: string
  /** Its folder below `test/consumers`. */
  readonly directory: string
  /** What is installed: in the versions that the repository has, unless they name another one. */
  readonly packages: readonly string[]
  /** What has to be written otherwise with this version: a text and what stands for it. */
  readonly changes?: readonly (readonly [string, string])[]
  /** Whether the framework ends the process by the signal itself, whatever is asked of it. */
  readonly endsBySignal?: boolean
}

const [nestPlatforms, useProcessExit] = [
  ['@nestjs/platform-express', '@nestjs/platform-fastify'],
  'app.enableShutdownHooks([], { useProcessExit: true })',
]
/** In Nest 10 the process ends by the signal itself: there is no such option. */
const NEST_10 = {
  changes: [[useProcessExit, 'app.enableShutdownHooks()']],
  endsBySignal: true,
} as const
const ON_FASTIFY = [
  [
    "import { NestFactory } from '@nestjs/core'\n",
    "import { NestFactory } from '@nestjs/core'\nimport { FastifyAdapter } from '@nestjs/platform-fastify'\n",
  ],
  ['create(AppModule, {', 'create(AppModule, new FastifyAdapter(), {'],
] as const

/** @returns The application of a major version of Nest on one of its platforms. */
export function nest(major: number, platform: 'Express' | 'Fastify'): FrameworkApplication {
  const { changes = [], ...others } = major === 10 ? NEST_10 : {}
  return {
    name: `NestJS ${major} on ${platform}`,
    directory: 'nestjs',
    packages: [
      ...[...NEST, ...nestPlatforms].map((name) => (name.startsWith('@nestjs/') ? `${name}@${major}` : name)),
      major === 10 ? '@types/express@4' : '@types/express',
      '@types/node',
    ],
    changes: platform === 'Fastify' ? [...changes, ...ON_FASTIFY] : changes,
    ...others,
  }
}

/**
 * Uses the package in an application, in a project of its own: Express brings a version of content-disposition that Koa's
 * declarations do not fit. Libraries' declarations are checked, too.
 *
 * @param work - Where the project is made.
 * @param compiler - Another TypeScript than the repository's.
 * @throws If it does not compile, an order's call does not arrive, or it does not end at SIGTERM as it should.
 */
export async function useFramework(
  { name, directory, packages, changes = [], endsBySignal = false }: FrameworkApplication,
  tarball: string,
  work: string,
  compiler = tsc,
): Promise<void> {
  const project = join(work, name.replaceAll(/\W+/g, '-'))
  write(project, 'package.json', JSON.stringify({ private: true, type: 'module' }))
  copy(project, directory, 'drive.mjs')
  for (const file of ['imported.ts', 'required.cts']) {
    const path = join(project, directory, file)
    writeFileSync(path, changes.reduce(replaceOnce, readFileSync(path, 'utf8')))
  }
  await install(project, tarball, packages)
  await compile(project, directory, compiler)
  for (const file of ['imported.js', 'required.cjs']) {
    await node(['drive.mjs', `${directory}/${file}`, ROUTE, ...(endsBySignal ? ['SIGTERM'] : [])], project)
  }
}

/**
 * Compiles a part of a project, with the repository's TypeScript unless another one is given.
 *
 * @throws CommandError with the compiler's errors.
 */
export async function compile(project: string, directory: string, compiler = tsc): Promise<void> {
  const options = {
    extends: join(consumers, 'tsconfig.json'),
    // Hono's declarations use the DOM's.
    compilerOptions: { typeRoots: ['../node_modules/@types'], lib: ['ES2023', 'DOM', 'DOM.Iterable'] },
  }
  write(project, `${directory}/tsconfig.json`, JSON.stringify(options))
  await node([compiler, '-p', directory, '--pretty', 'false'], project, { timeout: COMPILE_TIMEOUT_MS })
}

function replaceOnce(text: string, [from, to]: readonly [string, string]): string {
  if (!text.includes(from)) throw new Error(`the application has nothing like ${from}`)
  return text.replace(from, to)
}
