import { dirname, join } from 'node:path'
import { copy, installedVersion, write } from '../consumer-project.js'
import { asJavaScript, readExample } from '../readme-example.js'
import { node, run } from '../run-command.js'
import type { Cell, Stage } from './cell.js'
import { bunBinary } from './runtimes.js'
import { tool } from './tools.js'

const INSTALL_TIMEOUT_MS = 600_000

interface Manager {
  readonly name: string
  readonly isQuick?: boolean
  /** Files that say how to install. */
  readonly files?: (registry: string) => Readonly<Record<string, string>>
  /** Installs what `package.json` says. */
  readonly install: (project: string) => Promise<unknown>
  /** Runs a script of the project. Defaults to Node. */
  readonly start?: (project: string, args: readonly string[]) => Promise<unknown>
}

const yarn = async () => join(await tool('@yarnpkg/cli-dist@4.18.1'), '@yarnpkg/cli-dist/bin/yarn.js')
const options = { timeout: INSTALL_TIMEOUT_MS }

const MANAGERS: readonly Manager[] = [
  {
    name: 'npm 11.19.1',
    install: async (project) =>
      node(
        [join(await tool('npm@11.19.1'), 'npm/bin/npm-cli.js'), 'install', '--prefer-offline', '--no-audit'],
        project,
        options,
      ),
  },
  {
    name: 'pnpm 12.21.0, strict',
    isQuick: true,
    files: (registry) => ({
      '.npmrc': `registry=${registry}\nhoist=false\nshamefully-hoist=false\nstrict-peer-dependencies=true\n`,
    }),
    install: async (project) =>
      run(join(await tool('pnpm@12.21.0'), '.bin/pnpm'), ['install'], project, options),
  },
  {
    name: 'Yarn 4.18.1, Plug’n’Play',
    isQuick: true,
    files: (registry) => ({
      'yarn.lock': '',
      '.yarnrc.yml': [
        'nodeLinker: pnp',
        'pnpMode: strict',
        'enableTelemetry: false',
        'enableGlobalCache: false',
        `npmRegistryServer: '${registry}'`,
        `unsafeHttpWhitelist: ['${new URL(registry).hostname}']`,
        '',
      ].join('\n'),
    }),
    install: async (project) =>
      node([await yarn(), 'install'], project, {
        ...options,
        env: { YARN_ENABLE_IMMUTABLE_INSTALLS: 'false' },
      }),
    start: async (project, args) => node([await yarn(), 'node', ...args], project),
  },
  {
    name: 'Yarn 1.22.22',
    files: (registry) => ({ '.npmrc': `registry=${registry}\n`, '.yarnrc': `registry "${registry}"\n` }),
    install: async (project) =>
      node([join(await tool('yarn@1.22.22'), 'yarn/bin/yarn.js'), 'install'], project, options),
  },
  {
    name: 'Bun 1.4.5',
    files: (registry) => ({ 'bunfig.toml': `[install]\nregistry = "${registry}"\n` }),
    install: async (project) => run(await bunBinary(), ['install'], project, options),
  },
]

export const managers: readonly Cell[] = MANAGERS.map((manager) => ({
  area: 'Package managers',
  name: manager.name,
  what: "the README's application, imported and required",
  isQuick: manager.isQuick === true,
  run: (stage) => use(manager, stage),
}))

async function use({ name, files, install, start = startOnNode }: Manager, stage: Stage): Promise<void> {
  // Not below the project, whose packages would be found.
  const project = join(dirname(stage.tarball), name.replaceAll(/\W+/g, '-'))
  const example = readExample()
  const dependencies = { reqtrack: `file:${stage.tarball}`, express: installedVersion('express') }
  write(project, 'package.json', JSON.stringify({ name: 'shop', private: true, dependencies }))
  write(project, 'main.mjs', asJavaScript(example, 'esm'))
  write(project, 'main.cjs', asJavaScript(example, 'cjs'))
  copy(project, 'drive.mjs')
  const { stdout: registry } = await run('npm', ['config', 'get', 'registry'], project)
  for (const [file, text] of Object.entries(files?.(registry.trim()) ?? {})) write(project, file, text)
  await install(project)
  for (const file of ['main.mjs', 'main.cjs']) await start(project, ['drive.mjs', file, example.route])
}

function startOnNode(project: string, args: readonly string[]): Promise<unknown> {
  return node(args, project)
}
