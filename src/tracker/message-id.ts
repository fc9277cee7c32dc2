import { createHmac } from 'node:crypto'
import type { CollectedEvent } from '../model/event.js'
import type { DirectCall } from '../model/segment-call.js'

/** Hex digits of a messageId: 128 bits, as many as a random one has. */
const ID_LENGTH = 32

/**
 * The prefix of the messageIds of an event's calls: random, or made of the event's key, so that every machine makes the same
 * of the same event.
 *
 * @param writeKey - Keeps others from making the messageIds of this source.
 */
export function messageIdOf(collected: CollectedEvent, writeKey: string): string {
  const { name, key, direct, messageId } = collected
  if (key === undefined) return messageId
  // JSON keeps the parts apart whatever they contain, and writes half of a surrogate pair as it is.
  const message = JSON.stringify([name, key, ...subjectOf(direct)])
  return createHmac('sha256', writeKey).update(message).digest('hex').slice(0, ID_LENGTH)
}

/** What keeps the calls of a tracker's own methods apart, which share the names of their events. */
function subjectOf(direct: DirectCall | undefined): readonly unknown[] {
  if (!direct) return []
  switch (direct.type) {
    case 'group':
      return [direct.type, direct.groupId]
    case 'alias':
      return [direct.type, direct.previousId]
    case 'page':
    case 'screen':
      return [direct.type, direct.category, direct.name]
    default:
      return [direct.type]
  }
}
