import { isIP } from 'node:net'

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/
const TIME = /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):?[0-5]\d)$/i
const EMAIL = /^[^\s@<>()[\],;:\\"]{1,64}@[^\s@<>()[\],;:\\"]{1,255}$/
const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i
const HOSTNAME = /^(?=.{1,253}$)[a-z\d]([a-z\d-]{0,61}[a-z\d])?(\.[a-z\d]([a-z\d-]{0,61}[a-z\d])?)*$/i

/**
 * The formats of strings that are held, by the name that JSON Schema has for them. Others are taken for what they say
 * they are.
 *
 * Source: JSON Schema Validation draft-07, "Defined Formats".
 */
export const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  'date-time': (text) =>
    isDate(text.slice(0, 10)) && /[Tt ]/.test(text.charAt(10)) && TIME.test(text.slice(11)),
  date: isDate,
  time: (text) => TIME.test(text),
  email: (text) => EMAIL.test(text),
  uri: (text) => /^[a-z][a-z\d+.-]*:/i.test(text) && URL.canParse(text),
  uuid: (text) => UUID.test(text),
  ipv4: (text) => isIP(text) === 4,
  ipv6: (text) => isIP(text) === 6,
  hostname: (text) => HOSTNAME.test(text),
}

function isDate(text: string): boolean {
  if (!DATE.test(text)) return false
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}
