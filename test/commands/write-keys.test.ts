import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { writeKeysIn } from '../../src/commands/relay/write-keys.js'

describe('a file of write keys', () => {
  it.each<[string, string, object[]]>([
    ['one a line', 'one\ntwo\n', [{ writeKey: 'one' }, { writeKey: 'two' }]],
    [
      'with blank lines, comments and Windows line ends',
      '# shop\r\n\r\n  one \r\n#two\r\n',
      [{ writeKey: 'one' }],
    ],
    [
      'as JSON',
      '{ "shop": "one", "blog": "two" }',
      [
        { name: 'shop', writeKey: 'one' },
        { name: 'blog', writeKey: 'two' },
      ],
    ],
    ['as JSON behind blank lines', '\n {"shop":"one"}\n', [{ name: 'shop', writeKey: 'one' }]],
  ])('is read %s', (_name, text, keys) => {
    expect(writeKeysIn(text)).toEqual(keys)
  })

  it.each<[string, string, RegExp]>([
    ['nothing', '', /no write key/],
    ['only comments', '# nothing\n\n', /no write key/],
    ['an empty object', '{}', /no write key/],
    ['broken JSON', '{ "shop": "S3CRET", }', /is no JSON/],
    ['a list', '["S3CRET"]', /no object/],
    ['a JSON text', '"S3CRET"', /no object/],
    ['a number for a key', '{ "shop": 3 }', /entry 1 is no write key/],
    ['an empty key', '{ "shop": "one", "blog": "" }', /entry 2 is no write key/],
    ['an empty name', '{ " ": "S3CRET" }', /name of entry 1/],
    ['a line with two words', 'one\nshop S3CRET\n', /line 2 is no write key/],
    ['the same key twice', 'one\n#\none', /write key 2 repeats/],
    ['the same key under two names', '{ "a": "S3CRET", "b": "S3CRET" }', /entry 2 repeats/],
  ])('is refused where it has %s, without quoting it', (_name, text, message) => {
    let said = ''
    try {
      writeKeysIn(text)
    } catch (error) {
      said = error instanceof Error ? error.message : ''
    }
    expect(said).toMatch(message)
    expect(said).not.toContain('S3CRET')
  })

  it('quotes nothing, whatever it is', () => {
    const key = fc.string({ minLength: 12, maxLength: 20 }).filter((text) => /^[A-Za-z0-9]+$/.test(text))
    fc.assert(
      fc.property(key, fc.string(), fc.string(), (secret, before, after) => {
        try {
          writeKeysIn(before + secret + after)
        } catch (error) {
          expect(String(error)).not.toContain(secret)
        }
      }),
    )
  })
})
