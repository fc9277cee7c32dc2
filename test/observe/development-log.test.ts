import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { consentCookie, Level, levelName, type TrackingConfig } from '../../src/index.js'
import { recordTracking } from '../../src/testing/index.js'
import { requestsOf, visitor } from '../support/servers.js'

const CONFIG: Omit<TrackingConfig, 'settings'> = {
  mapping: {
    order: { complete: { name: 'Order Completed' } },
    debug: { '*': { ignore: true } },
    ad: { click: { consent: { marketing: true } } },
  },
  request: { consent: consentCookie('choice') },
}

async function linesOf(
  logger: TrackingConfig['logger'],
  work: Parameters<Awaited<ReturnType<typeof requestsOf>>>[0],
) {
  const lines: string[] = []
  const recorded = recordTracking({
    ...CONFIG,
    settings: { consent: { marketing: 'Advertising' } },
    logger: { ...logger, handler: (level, message) => lines.push(`${levelName(level)} ${message}`) },
  })
  const inRequest = await requestsOf(recorded)
  await inRequest(work, {
    cookie: `${visitor('a-1').cookie}; choice=${encodeURIComponent('{"marketing":false}')}`,
  })
  await recorded.settled()
  return { lines, recorded }
}

describe.each([{ level: 'DEBUG' }, { level: Level.DEBUG }] as const)('the log at $level', (logger) => {
  it('has a line for each call and each drop, with the reason in words', async () => {
    const { lines } = await linesOf(logger, (tracker) => {
      tracker.track('order complete', { total: 42 })
      tracker.identify('u-1', { plan: 'free' })
      tracker.track('debug dump')
      tracker.track('ad click', { campaign: 'spring\n%s' })
      tracker.track('  ')
      tracker.discard()
      tracker.track('order complete', { total: 1 })
      tracker.track('debug dump')
      tracker.track('ad click', { campaign: 'spring\n%s' })
    })
    expect(lines).toEqual([
      expect.stringMatching(/^error the event's name/),
      'debug dropped   invalid: its name is empty, longer than 255 characters or a walkerOS command, or a method was given what it cannot use. The error in the log says which.',
      ...['order complete', 'identify', 'debug dump', 'ad click'].map(() =>
        expect.stringMatching(/^debug dropped {3}.*discarded: the handler called `tracker.discard\(\)`\.$/),
      ),
      'debug track     Order Completed  anon=a-1  {"total":1}  consent: Advertising=false',
      'debug dropped   debug dump  anon=a-1  ignored: the rule `debug *` ignores it, or is silent and its settings came to no call.',
      'debug dropped   ad click  anon=a-1  {"campaign":"spring\\n%s"}  consent: The rule `ad click` needs marketing; this visitor has granted nothing and refused marketing (consentCookie).',
    ])
  })

  it('says why a request did not want its events', async () => {
    const lines: string[] = []
    const recorded = recordTracking({
      dispatch: 'success',
      logger: { ...logger, handler: (_level, message) => lines.push(message) },
    })
    const inRequest = await requestsOf(recorded)
    await inRequest((tracker, _req, res) => {
      tracker.track('order complete')
      res.statusCode = 404
    }, visitor('a-1'))
    await recorded.settled()
    expect(lines).toEqual([
      'dropped   order complete  outcome: `config.dispatch` does not want a request that ended with status 404.',
    ])
  })

  it('says why a call failed', async () => {
    const lines: string[] = []
    const recorded = recordTracking({
      logger: { ...logger, handler: (_level, message) => lines.push(message) },
    })
    recorded.run({ user: { id: 'u-1' } }, (tracker) => tracker.track('big one', { text: 'x'.repeat(32_300) }))
    await recorded.settled()
    expect(lines.filter((line) => line.startsWith('failed'))).toEqual([
      expect.stringMatching(
        /^failed {4}track {5}big one {2}user=u-1 {2}\{"text":"x+… {2}too-large: the call is larger than the 32 KB/,
      ),
    ])
  })
})

describe('the log at other levels', () => {
  it.each([undefined, 'INFO', 'ERROR'] as const)('has no line for a call at %s', async (level) => {
    const { lines } = await linesOf(level ? { level } : {}, (tracker) => tracker.track('order complete'))
    expect(lines).toEqual([])
  })

  it('names levels as most loggers do', () => {
    expect([Level.ERROR, Level.WARN, Level.INFO, Level.DEBUG].map(levelName)).toEqual([
      'error',
      'warn',
      'info',
      'debug',
    ])
    expect(levelName(7)).toBe('error')
  })
})

describe('NODE_DEBUG', () => {
  const script = `
    import { createTracking } from './src/index.ts'
    const tracking = createTracking({ dryRun: true, logger: { handler: () => {} } })
    tracking.run({ user: { id: 'u-1' } }, (tracker) => { tracker.track('order complete', { rate: '%d' }); tracker.track('') })
    await tracking.shutdown()`
  const run = async (NODE_DEBUG: string) => {
    const args = ['--import', 'tsx', '--input-type=module', '--eval', script]
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, {
      env: { ...process.env, NODE_DEBUG },
    })
    return { stdout, lines: stderr.split('\n').filter((line) => /^REQTRACK/.test(line)) }
  }

  it('writes the lines to standard error, whatever the logger', async () => {
    const { stdout, lines } = await run('http2x,reqtrack')
    expect(stdout).toBe('')
    expect(lines).toEqual([
      expect.stringMatching(/^REQTRACK \d+: dropped {3}invalid: /),
      expect.stringMatching(/^REQTRACK \d+: track {5}order complete {2}user=u-1 {2}\{"rate":"%d"\}$/),
    ])
    expect((await run('other')).lines).toEqual([])
  })
})
