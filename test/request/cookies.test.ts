import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeCookie, parseCookies, repeatedCookies } from '../../src/request/cookies.js'

describe('parseCookies', () => {
  it('gives the values as they were sent', () => {
    const cookies = parseCookies('a=1; b="x%20y";c=%7B%22d%22%3A1%7D ; e=f=g')
    expect([...cookies]).toEqual([
      ['a', '1'],
      ['b', '"x%20y"'],
      ['c', '%7B%22d%22%3A1%7D'],
      ['e', 'f=g'],
    ])
  })

  it('counts the first of several with one name', () => {
    expect(parseCookies('id=first; other=1; id=second').get('id')).toBe('first')
    expect(parseCookies('id=; id=second').get('id')).toBe('')
  })

  it('keeps the others of one name apart', () => {
    const cookies = parseCookies('id=1; a=x; id=2; id=1; =3; id')
    expect([...cookies.keys()]).toEqual(['id', 'a'])
    expect(repeatedCookies(cookies)).toEqual([
      ['id', '2'],
      ['id', '1'],
    ])
    expect(repeatedCookies(parseCookies('id=1'))).toEqual([])
    expect(repeatedCookies(new Map([['id', '1']]))).toEqual([])
  })

  it('leaves out what has no name or no value', () => {
    expect([...parseCookies('flag; =x; ; a=1;')]).toEqual([['a', '1']])
    expect([...parseCookies(`=${'x'.repeat(40)}=y; a=1`)]).toEqual([['a', '1']])
    expect(parseCookies(undefined).size).toBe(0)
    expect(parseCookies('').size).toBe(0)
  })

  it('keeps names that objects have by themselves as what they are', () => {
    const cookies = parseCookies('__proto__=x; constructor=y; a=1')
    expect(cookies.get('__proto__')).toBe('x')
    expect(cookies.get('toString')).toBeUndefined()
    expect(Object.prototype).not.toHaveProperty('x')
  })

  it('stops at 16 KB, before the cookie that crosses it', () => {
    const filler = `f=${'x'.repeat(16 * 1024 - 10)}`
    const cookies = parseCookies(`${filler}; cut=abcdefgh; after=1`)
    expect([...cookies.keys()]).toEqual(['f'])
  })

  it('finds a cookie behind whatever is none', () => {
    for (const noise of [';', '; ', '=;', 'a;', ' ;']) {
      const header = `${noise.repeat(Math.floor(15_000 / noise.length))}id=1`
      expect(parseCookies(header).get('id'), noise).toBe('1')
    }
  })

  it('stops at 512 cookies, more than twice as many as browsers keep', () => {
    const header = Array.from({ length: 1_000 }, (_, index) => `c${index}=1`).join('; ')
    const cookies = parseCookies(header)
    expect(cookies.size).toBe(512)
    expect(cookies.get('c511')).toBe('1')
  })

  it('finds every cookie that it is given, whatever is around it', () => {
    const name = fc.stringMatching(/^[A-Za-z0-9_.-]{1,12}$/)
    const value = fc.stringMatching(/^[!#-+\--:<-[\]-~]{0,40}$/)
    fc.assert(
      fc.property(
        fc.array(fc.tuple(name, value)),
        fc.array(fc.stringMatching(/^=([a=]{0,15}|a{15,40})$/)),
        fc.stringMatching(/^[ ;=a]{0,9}$/),
        (pairs, nameless, noise) => {
          const parts = [...nameless, ...pairs.map(([key, text]) => `${key}=${text}`)]
          const first = new Map([...pairs].reverse())
          const cookies = parseCookies(`${parts.join(';')};${noise}`)
          for (const [key, text] of first) expect(cookies.get(key)).toBe(text)
        },
      ),
    )
  })

  it('takes any text', () => {
    fc.assert(fc.property(fc.string(), (header) => void parseCookies(header)))
  })
})

describe('decodeCookie', () => {
  it('undoes percent-encoding and leaves a plus', () => {
    expect(decodeCookie('%22caf%C3%A9%22')).toBe('"café"')
    expect(decodeCookie('a+b')).toBe('a+b')
  })

  it.each(['%', '%E0%A4%A', '%zz', '%80'])('knows no text for %s', (value) => {
    expect(decodeCookie(value)).toBeUndefined()
  })

  it('knows no text beyond 4 KB, and none where there is none', () => {
    expect(decodeCookie('x'.repeat(4 * 1024))).toHaveLength(4 * 1024)
    expect(decodeCookie('x'.repeat(4 * 1024 + 1))).toBeUndefined()
    expect(decodeCookie(undefined)).toBeUndefined()
  })

  it('is the inverse of encoding, and never throws', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 100 })
    fc.assert(fc.property(text, (value) => decodeCookie(encodeURIComponent(value)) === value))
    fc.assert(fc.property(fc.stringMatching(/^[%0-9A-Fa-f]*$/), (value) => void decodeCookie(value)))
  })
})
