import type { TrackedRequest } from '../../model/tracked-request.js'
import {
  type Choice,
  type ConsentOptions,
  type ConsentReader,
  type ConsentRecord,
  consentReader,
} from './reader.js'

/** The options of {@link complianz}. */
export interface ComplianzOptions extends ConsentOptions {
  /** The prefix of the plugin's cookies. Defaults to `cmplz_`. */
  prefix?: string
}

/**
 * Reads the choice that the WordPress plugin Complianz recorded: a cookie a category, such as `cmplz_marketing=allow`.
 *
 * The choice counts as made when `cmplz_banner-status` is `dismissed`.
 *
 * By default `functional` is `functional`, `statistics` `analytics`, `marketing` `marketing`; `preferences` has no
 * key. A site network with its own cookie prefix has to give it as `prefix`.
 */
export function complianz(options: ComplianzOptions = {}): ConsentReader {
  const { prefix = 'cmplz_' } = options
  return consentReader({
    name: 'complianz',
    options,
    defaults: { functional: 'functional', statistics: 'analytics', marketing: 'marketing' },
    read: (request) => read(request, prefix),
  })
}

function read(request: TrackedRequest, prefix: string): ConsentRecord | undefined {
  const choices = new Map<string, Choice>()
  for (const [name, value] of request.cookies) {
    if (!name.startsWith(prefix)) continue
    if (value === 'allow' || value === 'deny') choices.set(name.slice(prefix.length), value === 'allow')
  }
  if (choices.size === 0) return undefined
  return { explicit: request.cookies.get(`${prefix}banner-status`) === 'dismissed', choices }
}
