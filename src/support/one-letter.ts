/**
 * Whether two words differ by case, or by a letter that is missing, added, replaced or swapped with its neighbour. Takes
 * time in proportion to their length.
 */
export function differByOneLetter(one: string, other: string): boolean {
  const from = one.toLowerCase()
  const to = other.toLowerCase()
  const shorter = Math.min(from.length, to.length)
  if (Math.max(from.length, to.length) - shorter > 1) return false
  let start = 0
  while (start < shorter && from[start] === to[start]) start++
  let end = 0
  while (end < shorter - start && from.at(-1 - end) === to.at(-1 - end)) end++
  const left = from.slice(start, from.length - end)
  const right = to.slice(start, to.length - end)
  if (left.length <= 1 && right.length <= 1) return true
  return left.length === 2 && right.length === 2 && left[0] === right[1] && left[1] === right[0]
}
