import type { TrackedRequest } from '../../model/tracked-request.js'
import { markFactory } from '../reader-factory.js'
import { readCookies } from './decode.js'
import { ONE_ANSWER, oneAnswer } from './one-answer.js'
import { type ConsentOptions, type ConsentReader, consentReader } from './reader.js'

/**
 * Reads the choice that the WordPress plugin Cookie Notice recorded: `true` or `false` in the cookie
 * `cookie_notice_accepted`. `TRUE` of its first versions, which asked for nothing, is unknown.
 *
 * The plugin asks one question, so every category but `necessary` has the one answer. By default `necessary` is
 * `functional`, everything else (`all`) `analytics` and `marketing`. With `onScroll` scrolling writes `true`, and no server
 * can tell that from a choice.
 *
 * Source: the plugin's `js/front.js` (`setStatus`), versions 1.2 to 2.4.
 */
export function cookieNotice(options: ConsentOptions = {}): ConsentReader {
  return consentReader({
    name: 'cookieNotice',
    options,
    rules: {},
    defaults: ONE_ANSWER,
    read: (request: TrackedRequest) =>
      readCookies(request, 'cookie_notice_accepted').flatMap((value) =>
        value === 'true' || value === 'false' ? [oneAnswer(value === 'true')] : [],
      ),
  })
}

markFactory(cookieNotice, 'cookieNotice()')
