import { expect, test } from 'vitest'
import type { ConsentReader } from '../../src/request/consent/index.js'
import { requestWith } from './consent-request.js'

/** A `Cookie` header and what a reader has to make of it. */
export type Case = readonly [what: string, reader: ConsentReader, cookie: string, consent: object | undefined]

export const everything = { functional: true, analytics: true, marketing: true }
export const onlyNecessary = { functional: true, analytics: false, marketing: false }

/** Makes a test of every case. */
export function check(cases: readonly Case[]): void {
  test.each(cases)('%s', (_what, reader, cookie, consent) => {
    expect(reader(requestWith(cookie))).toEqual(consent)
  })
}
