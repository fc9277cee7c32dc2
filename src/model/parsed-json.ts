import { isRecord } from './values.js'

/** @returns What a text of JSON holds, or `undefined` where it is none. */
export function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** @returns The object that a text of JSON holds, or `undefined` where it holds none. */
export function parsedRecord(text: string): Record<string, unknown> | undefined {
  const parsed = parsedJson(text)
  return isRecord(parsed) ? parsed : undefined
}
