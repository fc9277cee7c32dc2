import { describe, expect, it } from 'vitest'
import { collectPerson } from '../../src/model/person.js'

const TOO_LARGE = 'the details are larger than the 32 KB that Segment takes for a call, and were left out'

describe('collectPerson', () => {
  it('merges what it is given with what was given before', () => {
    expect(collectPerson({ id: 'u1', at: new Date(0) }, { id: 'u0', country: 'DE' })).toEqual({
      person: { id: 'u1', at: '1970-01-01T00:00:00.000Z', country: 'DE' },
      problems: [],
    })
  })

  it('takes nothing of what says in JSON that it is no object', () => {
    expect(collectPerson({ toJSON: () => 'u1' }, { id: 'u0' })).toEqual({
      person: { id: 'u0' },
      problems: ['its toJSON gives no object'],
    })
  })

  it('keeps the ids of a person whose details are too large', () => {
    const posts = Array.from({ length: 10_000 }, (_, id) => ({ id, title: 'a title' }))
    expect(collectPerson({ posts, session: 's1', id: 7 }, { id: 'u0', country: 'DE' })).toEqual({
      person: { id: '7', session: 's1', country: 'DE' },
      problems: [TOO_LARGE],
    })
  })

  it('keeps no id that throws, or is none', () => {
    const person = {
      get id(): never {
        throw new Error('broken')
      },
      session: { of: 'nobody' },
      photo: Buffer.alloc(1_000_000),
    }
    expect(collectPerson(person, undefined)).toEqual({ person: {}, problems: [TOO_LARGE] })
  })

  it('bounds what comes together', () => {
    let before = collectPerson({ id: 'u1' }, undefined).person
    for (let index = 0; index < 5; index++) {
      before = collectPerson({ [`k${index}`]: 'x'.repeat(15_000), id: `u${index}` }, before).person
    }
    expect(Object.keys(before)).toEqual(['id', 'k0', 'k1'])
    expect(before.id).toBe('u4')
  })
})
