/**
 * An outbox on a disk, which keeps calls through a crash.
 *
 * @packageDocumentation
 */

import { resolve } from 'node:path'
import { FileOutbox } from './file-outbox.js'
import type { Outbox } from './outbox.js'

export type { Outbox } from './outbox.js'

/** Where and how calls are stored. */
export interface FileOutboxOptions {
  /** A directory of its own on a local disk. It is made if it is missing; several processes may share it. */
  directory: string
  /**
   * Bytes of calls on disk for each process. Beyond them the oldest calls fail with the reason `overflow`. Defaults to
   * `delivery.maxBytes` if that is set, and to 1 GB.
   */
  maxBytes?: number
  /**
   * Milliseconds that a call waits to be written with others. A killed process loses the calls of this time. 0 writes at the
   * end of every turn of the event loop. Defaults to 50.
   */
  commitInterval?: number
  /** The number of waiting calls that are written at once, before the interval is over. Defaults to 500. */
  commitAt?: number
}

/**
 * Stores calls on disk until Segment has taken them, so that a crash, a kill or a long outage loses none. The next process
 * with the same directory sends the rest. Needs the package `classic-level`.
 *
 * The files hold personal data, as the calls do: they are 0600, the directory is 0700, and `delivery.maxAge` bounds their
 * age.
 *
 * @throws TypeError for an invalid option.
 *
 * @example
 * const tracking = createTracking({
 *   settings: { writeKey: 'KEY' },
 *   delivery: { outbox: fileOutbox({ directory: '/var/lib/shop/outbox' }) },
 * })
 */
export function fileOutbox(options: FileOutboxOptions): Outbox {
  const { maxBytes, commitInterval = 50, commitAt = 500 } = options
  if (typeof options.directory !== 'string' || options.directory === '') {
    throw new TypeError('fileOutbox: directory is the path of a directory, such as /var/lib/shop/outbox')
  }
  if (maxBytes !== undefined && !(maxBytes >= 1)) {
    throw new TypeError(`fileOutbox: maxBytes is a number of bytes from 1 on; given ${maxBytes}`)
  }
  if (!(commitInterval >= 0 && commitInterval <= 60_000)) {
    throw new TypeError(`fileOutbox: commitInterval is 0 to 60000 milliseconds; given ${commitInterval}`)
  }
  if (!(commitAt >= 1))
    throw new TypeError(`fileOutbox: commitAt is a number of calls from 1 on; given ${commitAt}`)
  const directory = resolve(options.directory)
  return {
    limits: { commitInterval, commitAt, maxBytes },
    open: (session) => FileOutbox.open(directory, session),
  }
}
