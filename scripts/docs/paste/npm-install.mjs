// `npm install NAME…` in the project of a page, without the registry: what the repository has is linked.
import { chmodSync, existsSync, mkdirSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'

const { PASTED_ROOT = '', PASTED_PACKAGE = '' } = process.env
const [, , ...args] = process.argv
for (const arg of args.filter((each) => !each.startsWith('-'))) {
  const name = arg.replace(/(?<=.)@.*$/, '')
  const there = name === 'reqtrack' ? PASTED_PACKAGE : join(PASTED_ROOT, 'node_modules', name)
  if (!existsSync(there)) {
    console.error(`npm install ${name}: the repository has no ${name} to install`)
    process.exitCode = 1
    continue
  }
  link(name, there)
  const types = `@types/${name.replace(/^@/, '').replace('/', '__')}`
  if (existsSync(join(PASTED_ROOT, 'node_modules', types)))
    link(types, join(PASTED_ROOT, 'node_modules', types))
}

function link(name, there) {
  place(join('node_modules', name), there)
  const { bin = {} } = JSON.parse(readFileSync(join(there, 'package.json'), 'utf8'))
  const commands = typeof bin === 'string' ? { [name]: bin } : bin
  for (const [command, file] of Object.entries(commands)) {
    chmodSync(join(there, file), 0o755)
    place(join('node_modules', '.bin', command), join(there, file))
  }
}

function place(at, there) {
  mkdirSync(dirname(at), { recursive: true })
  rmSync(at, { recursive: true, force: true })
  symlinkSync(realpathSync(there), at)
}
