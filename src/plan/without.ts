import type { Path } from './offence.js'

/** The places to leave out, as a tree. */
interface Cut {
  readonly members: Map<string | number, Cut>
  isWhole: boolean
}

/**
 * Copies a value without some places of it: members of objects go, members of lists go and the later ones move up. What
 * is not on the way to such a place is the same as it was.
 *
 * @param paths - None of them empty.
 */
export function without(value: unknown, paths: readonly Path[]): unknown {
  const root = newCut()
  for (const path of paths) {
    let cut = root
    for (const key of path) {
      const next = cut.members.get(key) ?? newCut()
      cut.members.set(key, next)
      cut = next
    }
    cut.isWhole = true
  }
  return cutFrom(value, root)
}

function newCut(): Cut {
  return { members: new Map(), isWhole: false }
}

function cutFrom(value: unknown, { members }: Cut): unknown {
  if (members.size === 0 || typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    return value.flatMap((member: unknown, index) => {
      const cut = members.get(index)
      return cut?.isWhole ? [] : [cut ? cutFrom(member, cut) : member]
    })
  }
  const left = Object.entries(value).flatMap(([key, member]: [string, unknown]) => {
    const cut = members.get(key)
    return cut?.isWhole ? [] : [[key, cut ? cutFrom(member, cut) : member]]
  })
  return Object.fromEntries(left)
}
