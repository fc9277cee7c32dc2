import { describe, expect, it } from 'vitest'
import { relayOptions } from '../../src/commands/relay/options.js'

const KEY = { SEGMENT_WRITE_KEY: 'S3CRET' }

describe('the command line of a relay', () => {
  it('is completed by the environment', () => {
    expect(
      relayOptions([], { ...KEY, REDIS_URL: 'redis://r:6379', SEGMENT_HOST: 'https://eu.example' }),
    ).toMatchObject({
      redis: 'redis://r:6379',
      writeKey: 'S3CRET',
      keys: undefined,
      port: undefined,
      host: 'https://eu.example',
    })
  })

  it('goes before the environment; a file of keys takes the place of the one', () => {
    const args = [
      '--redis',
      'rediss://r',
      '--keys',
      'FILE',
      '--port',
      '9464',
      '--host',
      'https://a',
      '--prefix',
      'p:',
    ]
    const environment = { ...KEY, REDIS_URL: 'redis://other', SEGMENT_HOST: 'https://b' }
    expect(
      relayOptions(
        [...args, '--claim-after', '800', '--max-in-flight', '8', '--timeout', '500'],
        environment,
      ),
    ).toEqual({
      redis: 'rediss://r',
      writeKey: undefined,
      keys: 'FILE',
      port: 9464,
      bind: undefined,
      host: 'https://a',
      prefix: 'p:',
      claimAfter: 800,
      maxInFlight: 8,
      timeout: 500,
    })
  })

  it.each<[string, string[], Record<string, string>, RegExp]>([
    ['no Redis', [], KEY, /--redis URL/],
    ['something else than a Redis', ['--redis', 'http://u:S3CRET@x'], KEY, /rediss?:\/\/host:port/],
    ['a URL that is none', ['--redis', 'redis://u:S3CRET@[x'], KEY, /rediss?:\/\/host:port/],
    ['no write key', ['--redis', 'redis://r'], {}, /SEGMENT_WRITE_KEY/],
    ['an empty write key', ['--redis', 'redis://r'], { SEGMENT_WRITE_KEY: ' ' }, /SEGMENT_WRITE_KEY/],
    ['an operand', ['redis://r:S3CRET@x'], KEY, /no operand/],
    ['an option that is none', ['--redis', 'redis://r', '--write-key', 'S3CRET'], KEY, /--write-key/],
    ['a port that is none', ['--redis', 'redis://r', '--port', '70000'], KEY, /--port/],
    ['a count that is none', ['--redis', 'redis://r', '--max-in-flight', '0'], KEY, /--max-in-flight/],
  ])('is refused with %s, and no secret is quoted', (_name, args, environment, message) => {
    const parse = () => relayOptions(args, environment)
    expect(parse).toThrow(message)
    expect(parse).not.toThrow(/S3CRET/)
  })
})
