const WIDTH = 100

/** Writes a plain value as it is written in TypeScript, on one line where it fits. */
export function literal(value: unknown, indent = '', before = 0): string {
  const line = oneLine(value)
  if (indent.length + before + line.length <= WIDTH || typeof value !== 'object' || value === null)
    return line
  const inner = `${indent}  `
  if (Array.isArray(value)) {
    return `[\n${value.map((item) => `${inner}${literal(item, inner)},\n`).join('')}${indent}]`
  }
  const members = Object.entries(value).map(([key, member]) => {
    const name = nameOf(key)
    return `${inner}${name}: ${literal(member, inner, name.length + 3)},\n`
  })
  return `{\n${members.join('')}${indent}}`
}

function oneLine(value: unknown): string {
  if (typeof value === 'string') return `'${value.replace(/['\\]/g, '\\$&')}'`
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map(oneLine).join(', ')}]`
  const members = Object.entries(value).map(([key, member]) => `${nameOf(key)}: ${oneLine(member)}`)
  return members.length === 0 ? '{}' : `{ ${members.join(', ')} }`
}

function nameOf(key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : `'${key}'`
}
