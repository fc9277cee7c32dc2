import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { readManifest, root } from '../../entries.js'
import { packBuilt } from '../../packed.js'
import { run } from '../../run-command.js'

const here = join(root, 'scripts', 'docs', 'paste')

/** Where pages are tried: the packed package, what it needs, and an `npm` that installs from the repository. */
export interface Workshop {
  readonly folder: string
  /** The unpacked package. */
  readonly packed: string
}

/** An empty folder, with the environment of a terminal in it. */
export interface Project {
  readonly folder: string
  /** What the redirected processes tell and ask: real ports by the pages' own. */
  readonly state: string
  readonly env: Readonly<Record<string, string>>
}

/** Packs what was built, unpacks it, and links what it depends on beside it. */
export async function makeWorkshop(folder: string): Promise<Workshop> {
  const { tarball } = await packBuilt(folder)
  const modules = join(folder, 'node_modules')
  mkdirSync(modules, { recursive: true })
  await run('tar', ['-xzf', tarball, '-C', modules], folder)
  const packed = join(modules, 'reqtrack')
  renameSync(join(modules, 'package'), packed)
  const { dependencies, peerDependencies } = readManifest()
  for (const name of Object.keys({ ...dependencies, ...peerDependencies })) {
    const at = join(modules, name)
    mkdirSync(dirname(at), { recursive: true })
    if (existsSync(join(root, 'node_modules', name))) symlinkSync(join(root, 'node_modules', name), at)
  }
  const shim = join(folder, 'bin', 'npm')
  mkdirSync(dirname(shim))
  const { stdout: npm } = await run('bash', ['-c', 'command -v npm'], folder)
  const install = `exec node '${join(here, 'npm-install.mjs')}' "\${@:2}"`
  writeFileSync(
    shim,
    `#!/usr/bin/env bash\nif [ "$1" = install ]; then ${install}; fi\nexec '${npm.trim()}' "$@"\n`,
  )
  chmodSync(shim, 0o755)
  // What tsx's own command does, without a second process of Node's.
  const tsx = `exec node --import '${pathToFileURL(join(root, 'node_modules/tsx/dist/loader.mjs')).href}' "$2"`
  const npx = join(folder, 'bin', 'npx')
  writeFileSync(
    npx,
    `#!/usr/bin/env bash\nif [ "$1" = tsx ]; then ${tsx}; fi\nexec "node_modules/.bin/$1" "\${@:2}"\n`,
  )
  chmodSync(npx, 0o755)
  return { folder, packed }
}

/** @param name - Of the folder. */
export function makeProject({ folder, packed }: Workshop, name: string): Project {
  const project = join(folder, 'pages', name)
  const state = join(folder, 'state', name)
  mkdirSync(project, { recursive: true })
  mkdirSync(state, { recursive: true })
  const env = {
    ...definedOf(process.env),
    PATH: [join(folder, 'bin'), process.env.PATH].join(delimiter),
    CURL_HOME: state,
    FORCE_COLOR: '0',
    NODE_ENV: '',
    NODE_OPTIONS: `--import=${pathToFileURL(join(here, 'surroundings.mjs')).href}`,
    PASTED_PACKAGE: packed,
    PASTED_ROOT: root,
    PASTED_STATE: state,
    SEGMENT_WRITE_KEY: 'test',
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  }
  return { folder: project, state, env }
}

/** Tells curl where the servers of the page really listen. */
export function writeCurlrc({ state }: Project): void {
  const ports = readdirSync(state).filter((name) => /^\d+$/.test(name))
  const lines = ports.map(
    (port) => `connect-to = "localhost:${port}:127.0.0.1:${readFileSync(join(state, port), 'utf8')}"\n`,
  )
  writeFileSync(
    join(state, '.curlrc'),
    `silent\nshow-error\nmax-time = 15\nwrite-out = "\\n"\n${lines.join('')}`,
  )
}

function definedOf(env: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}
