import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { holdsEmail } from '../../src/request/email.js'

const encodeAll = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

describe('holdsEmail', () => {
  it.each([
    'ada@example.com',
    'ada＠example.com',
    'ada＠example。com',
    'ada@example｡com',
    'ada@example．com',
    'ada﹫example﹒com',
    'ａｄａ＠ｅｘａｍｐｌｅ．ｃｏｍ',
    'ada@例え。テスト',
    'ada@example.com;v=1',
    'user=ada+news@mail.example.co',
    'ada%40example.com',
    'ada%2540example%252Ecom',
    'ada%EF%BC%A0example%E3%80%82com',
    'ada%ef%bc%a0example%ef%bd%a1com',
    'ada%25EF%25BC%25A0example.com',
    'ada%FF%40example.com',
    'ada@example.%63%6f%6d',
    '%%34%30ada%%34%30example.com',
  ])('finds one in %s', (text) => {
    expect(holdsEmail(text)).toBe(true)
  })

  it.each([
    '',
    '@',
    'core@4.2.1',
    'core＠4.2.1',
    '@ada',
    '@example.com',
    'ada@localhost',
    'a%20b.com',
    '%E3%80%82',
    '%EF%BC%A0',
    '100%.de',
    'größe%C3%A0.de',
    'ada。com',
  ])('finds none in %s', (text) => {
    expect(holdsEmail(text)).toBe(false)
  })

  it('finds an address however often it is encoded, and whatever its characters are', () => {
    const at = fc.constantFrom('@', '＠', '﹫')
    const dot = fc.constantFrom('.', '。', '．', '｡')
    const word = fc.stringMatching(/^[a-zß-ö]{2,8}$/)
    const encode = fc.constantFrom(encodeURIComponent, encodeAll, (text: string) => text)
    fc.assert(
      fc.property(word, at, word, dot, word, fc.array(encode, { maxLength: 3 }), (...given) => {
        const [user, sign, name, stop, top, encodings] = given
        const address = encodings.reduce(
          (text, encoding) => encoding(text),
          `${user}${sign}${name}${stop}${top}`,
        )
        expect(holdsEmail(address), address).toBe(true)
      }),
    )
  })

  it('takes any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void holdsEmail(text)))
    fc.assert(fc.property(fc.stringMatching(/^[%0-9A-Fa-f@.＠]*$/), (text) => void holdsEmail(text)))
  })
})
