import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { checkConfiguredConsent, checkConsent } from '../../src/commands/doctor/consent.js'
import { checkFrameworks } from '../../src/commands/doctor/frameworks.js'
import { checkPackages } from '../../src/commands/doctor/packages.js'
import { oneTrust } from '../../src/index.js'
import { segmentServer } from '../support/servers.js'

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url))
const tsx = import.meta.resolve('tsx')
const index = new URL('../../src/index.ts', import.meta.url).href

/** Runs the command in a folder with these files. */
async function doctor(args: string[], files: Record<string, string> = {}, env: Record<string, string> = {}) {
  const cwd = await folderWith(files)
  return new Promise<{ code: number; output: string }>((resolve) => {
    const child = execFile(
      process.execPath,
      ['--import', tsx, cli, 'doctor', ...args],
      { cwd, env: { ...process.env, SEGMENT_WRITE_KEY: '', ...env } },
      (_error, stdout, stderr) => resolve({ code: child.exitCode ?? -1, output: stdout + stderr }),
    )
  })
}

async function folderWith(files: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'reqtrack-doctor-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  return folder
}

const manifest = (version: string) => JSON.stringify({ version })

describe('packages', () => {
  it('finds a second copy, wherever it lies', async () => {
    const folder = await folderWith({
      'node_modules/reqtrack/package.json': manifest('0.2.0'),
      'node_modules/@walkeros/core/package.json': manifest('4.2.1'),
      'node_modules/@segment/analytics-node/package.json': manifest('3.1.0'),
      'node_modules/other/node_modules/@segment/analytics-node/package.json': manifest('2.2.0'),
      'node_modules/.pnpm/x@1/node_modules/reqtrack/package.json': manifest('0.1.0'),
    })
    const { state, lines } = checkPackages(folder)
    expect(state).toBe('wrong')
    expect(lines[0]).toBe(
      'reqtrack: 2 copies: 0.2.0 in node_modules/reqtrack, 0.1.0 in node_modules/.pnpm/x@1/node_modules/reqtrack',
    )
    expect(lines[1]).toContain('2.2.0 in node_modules/other/node_modules/@segment/analytics-node')
    expect(lines[2]).toBe('@walkeros/core 4.2.1')
    expect(lines[3]).toContain('npm dedupe')
  })

  it('is content with one of each, and says where there is none', async () => {
    const folder = await folderWith({ 'node_modules/reqtrack/package.json': manifest('0.2.0') })
    expect(checkPackages(folder).state).toBe('ok')
    expect(checkPackages(await folderWith({})).state).toBe('unknown')
  })
})

describe('frameworks', () => {
  it('names the adapter, and a version that it is not for', async () => {
    const folder = await folderWith({
      'node_modules/express/package.json': manifest('5.3.0'),
      'node_modules/fastify/package.json': manifest('4.9.0'),
    })
    expect(checkFrameworks(folder)).toMatchObject({
      state: 'wrong',
      lines: ['express 5.3.0: use reqtrack/express', 'fastify 4.9.0: reqtrack/fastify is for 5'],
    })
    expect(checkFrameworks(join(folder, 'node_modules')).lines).toHaveLength(2)
  })
})

describe('consent in a Cookie header', () => {
  const chosen = 'OptanonAlertBoxClosed=2024-01-01T00:00:00.000Z'
  const textOf = (header: string) => checkConsent(header).lines.join('\n')

  it('is told with the categories that it comes of, and without values', () => {
    const { state, lines } = checkConsent(
      `Cookie: OptanonConsent=groups=C0001%3A1%2CC0002%3A1%2CC0004%3A0; ${chosen}; session=SECRET`,
    )
    expect(state).toBe('ok')
    expect(lines.slice(0, 3)).toEqual([
      'of the cookies OptanonConsent, OptanonAlertBoxClosed, session',
      'oneTrust(): functional granted, analytics granted, marketing refused',
      '  its record: C0001 granted, C0002 granted, C0004 refused',
    ])
    expect(lines.join('\n')).not.toMatch(/SECRET|2024/)
  })

  it.each([
    [
      'no choice was made',
      'OptanonConsent=groups=C0002%3A1',
      'the visitor has not chosen (OptanonAlertBoxClosed is missing)',
    ],
    [
      'the ids are the site’s own',
      `OptanonConsent=groups=1%3A1%2C2%3A0; ${chosen}`,
      'none of its categories is in the default map',
    ],
    ['the manager has no map', 'klaro=%7B%22matomo%22%3Atrue%7D', 'its ids are your own'],
    [
      'it comes twice',
      `OptanonConsent=groups=C0002%3A1; OptanonConsent=groups=C0002%3A0; ${chosen}`,
      'the strictest counts',
    ],
    ['it cannot be read', `OptanonConsent=landingPath=x; ${chosen}`, 'holds no record that it can read'],
    ['a terminal would be steered', `OptanonConsent=groups=%1B[31mC%3A1; ${chosen}`, '\\u{1b}[31mC granted'],
  ])('says why where %s', (_, header, why) => {
    expect(textOf(header)).toContain(why)
    expect(textOf(header)).not.toContain('\u001b')
  })

  it('says that no reader knows the cookies, or that there is none', () => {
    expect(checkConsent('a=SECRET')).toMatchObject({ state: 'wrong' })
    expect(textOf('a=SECRET')).not.toContain('SECRET')
    expect(checkConsent('nothing')).toMatchObject({
      state: 'wrong',
      lines: [expect.stringContaining('no cookie')],
    })
  })

  it('is told as the readers of a configuration merge it', async () => {
    const config = { settings: { writeKey: 'k' }, request: { consent: oneTrust() } }
    const header = `OptanonConsent=groups=C0002%3A1; ${chosen}`
    expect(await checkConfiguredConsent(config, header)).toMatchObject({
      state: 'ok',
      lines: [expect.stringMatching(/^with its readers: .*analytics granted \(oneTrust\)/)],
    })
    const failing = { ...config, request: { consent: () => Promise.reject(new Error('SECRET')) } }
    expect(await checkConfiguredConsent(failing, header)).toMatchObject({
      state: 'wrong',
      lines: [expect.any(String), expect.stringMatching(/^the reader consent failed \(Error\)$/)],
    })
  })
})

describe('npx reqtrack doctor', () => {
  it('looks at a folder, asks nobody, and exits with 0 where nothing is wrong', async () => {
    const { code, output } = await doctor([], { 'node_modules/reqtrack/package.json': manifest('0.2.0') })
    expect(output).toMatch(/^ok {5}node {8}reqtrack \d/)
    expect(output).toContain('not asked: --send sends one event')
    expect(code).toBe(0)
  })

  it('validates a configuration, quotes none of its strings, and sends one event when asked', async () => {
    const segment = await segmentServer()
    const valid = JSON.stringify({ settings: { writeKey: 'SECRET', host: segment.url } })
    const sent = await doctor(['--config', 'tracking.json', '--send'], { 'tracking.json': valid })
    expect(sent.output).toContain('tracking.json is valid')
    expect(sent.output).toContain('has taken the event "reqtrack doctor"')
    expect(segment.calls).toMatchObject([
      { type: 'track', event: 'reqtrack doctor', anonymousId: 'reqtrack-doctor' },
    ])
    const wrong = await doctor(['--config', 'tracking.json'], {
      'tracking.json': JSON.stringify({ settings: { writeKey: 'SECRET', flushat: 'SECRET' } }),
    })
    expect(wrong.output).toContain('settings.flushat: unknown key, did you mean flushAt?')
    expect([sent.code, wrong.code]).toEqual([0, 1])
    expect(sent.output + wrong.output).not.toContain('SECRET')
  })

  it('takes a module that exports a config, or makes a tracking and keeps the process alive', async () => {
    const module = `import { createTracking, oneTrust } from ${JSON.stringify(index)}
      import { createServer } from 'node:http'
      export const tracking = createTracking({ settings: { writeKey: 'SECRET' }, request: { consent: oneTrust() } })
      createServer().listen(0)`
    const made = await doctor(['--config', 'tracking.mjs'], { 'tracking.mjs': module })
    expect(made.output).toContain('tracking.mjs makes a tracking')
    const config = await doctor(['--config', 'c.mjs', '--cookie', 'a=SECRET'], {
      'c.mjs': `export default { settings: { writeKey: 'SECRET' } }`,
    })
    expect(config.output).toContain('request.consent knows no choice')
    const throwing = await doctor(['--config', 'c.mjs'], { 'c.mjs': `throw new RangeError('SECRET')` })
    expect(throwing.output).toContain('it cannot be loaded (RangeError)')
    expect([made.code, config.code, throwing.code]).toEqual([0, 1, 1])
    expect(made.output + config.output + throwing.output).not.toContain('SECRET')
  })

  it('says that nothing is reached, and that there is no write key', async () => {
    const env = { SEGMENT_WRITE_KEY: 'SECRET', SEGMENT_HOST: 'http://127.0.0.1:9' }
    const away = await doctor(['--send'], {}, env)
    expect(away.output).toMatch(/127\.0\.0\.1:9 has not taken an event \(retrying\): .*ECONNREFUSED/)
    const without = await doctor(['--send'])
    expect(without.output).toContain('no write key: set SEGMENT_WRITE_KEY')
    expect([away.code, without.code]).toEqual([1, 1])
    expect(away.output).not.toContain('SECRET')
  }, 30_000)

  it.each([[['--cookies', 'a=b']], [['--config', 'absent.json']], [['operand']]])(
    'exits with 2 for %s',
    async (args) => {
      const { code, output } = await doctor(args)
      expect(code).toBe(2)
      expect(output).toContain('npx reqtrack doctor')
    },
  )
})
