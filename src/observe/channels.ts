import { channel } from 'node:diagnostics_channel'

/**
 * The channels of `node:diagnostics_channel` on which a tracking publishes. Without a subscriber a message costs one check.
 *
 * - `reqtrack:dispatch` `{ call }`: a call was made, and goes to its delivery.
 * - `reqtrack:delivered` `{ call }`: a call has arrived.
 * - `reqtrack:failed` `{ call, reason, detail }`: a call has failed for good.
 * - `reqtrack:dropped` `{ event, reason, required? }`: an event became no call.
 * - `reqtrack:violation` `{ event, problem, path, received, … }`: an event is not as the tracking plan says.
 *
 * @example
 * import { subscribe } from 'node:diagnostics_channel'
 *
 * subscribe('reqtrack:failed', (message) => console.warn(message))
 */
export const channels = {
  dispatch: channel('reqtrack:dispatch'),
  delivered: channel('reqtrack:delivered'),
  failed: channel('reqtrack:failed'),
  dropped: channel('reqtrack:dropped'),
  violation: channel('reqtrack:violation'),
} as const
