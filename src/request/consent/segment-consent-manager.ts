import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { cookieName } from '../reader-options.js'
import { booleansOf, own, ownObject, readJsonCookies } from './decode.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'
import { addChoice, type Choice, type ConsentRecord } from './record.js'

/** The options of {@link segmentConsentManager}. */
export interface SegmentConsentManagerOptions extends ConsentOptions {
  /** The cookie's name, the library's `cookieName`. Defaults to `tracking-preferences`. */
  cookieName?: string
}

/**
 * Reads the choice that Segment's `@segment/consent-manager` recorded: `custom` and `destinations` in the JSON of the
 * cookie `tracking-preferences`, written when the visitor saved, accepted or refused.
 *
 * Categories are the names in `custom` and the ids of Segment's destinations. With `implyConsentOnInteraction` the
 * library takes any click on the page for consent, and no server can tell that from a choice.
 *
 * By default the library's own categories count: `functional` is `functional`, `marketingAndAnalytics` is `analytics` and
 * `marketing`, `advertising` is `marketing`. A site with `customCategories`, or without categories, has to give
 * `categories`.
 *
 * Source: `@segment/consent-manager` 5.8.1, `consent-manager-builder/preferences.js` and `consent-manager/index.js`.
 */
export function segmentConsentManager(options: SegmentConsentManagerOptions = {}): ConsentReader {
  return consentReader({
    name: 'segmentConsentManager',
    options,
    rules: { cookieName },
    defaults: {
      functional: 'functional',
      marketingAndAnalytics: ['analytics', 'marketing'],
      advertising: 'marketing',
    },
    read,
  })
}

markFactory(segmentConsentManager, 'segmentConsentManager()')

function read(
  request: TrackedRequest,
  { cookieName = 'tracking-preferences' }: SegmentConsentManagerOptions,
): ConsentRecord[] {
  return readJsonCookies(request, cookieName).flatMap((record) => {
    if (own(record, 'version') !== 1) return []
    const choices = new Map<string, Choice>()
    for (const part of [ownObject(record, 'custom'), ownObject(record, 'destinations')]) {
      for (const [name, granted] of booleansOf(part ?? {})) addChoice(choices, name, granted)
    }
    return choices.size === 0 ? [] : [{ explicit: true, choices }]
  })
}
