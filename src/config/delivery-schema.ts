import type { Outbox } from '../delivery/index.js'
import type { DeliveryOptions } from '../delivery/options.js'
import {
  exactObject,
  hasMethod,
  integerFrom,
  type MembersOf,
  type ObjectSchema,
  opaque,
  optional,
  positive,
  refined,
  type Schema,
  yesOrNo,
} from '../support/schema/index.js'

/** The options of a process that may only send. */
type SendingOptions = Omit<DeliveryOptions, 'outbox' | 'send'>

const sendingMembers: MembersOf<SendingOptions> = {
  maxPending: optional(integerFrom(1), 'Calls that may wait for Segment.'),
  maxBytes: optional(integerFrom(1), 'Bytes of all calls that may wait for Segment.'),
  maxInFlight: optional(integerFrom(1), 'Calls that may be on their way to Segment at a time.'),
  maxBatch: optional(
    integerFrom(1),
    'Calls that go together at most where `settings.flushAt` is left out: under load, what comes within milliseconds.',
  ),
  maxAge: optional(positive('milliseconds'), 'Milliseconds of waiting after which a call is given up.'),
}

/** Something that keeps calls. */
export const outboxSchema: Schema<Outbox> = opaque(
  'an outbox, such as fileOutbox() gives',
  (value) => typeof value === 'object' && hasMethod(value, 'open'),
)

const deliveryMembers: MembersOf<DeliveryOptions> = {
  ...sendingMembers,
  outbox: optional(outboxSchema, 'Keeps calls across restarts.'),
  send: optional(
    yesOrNo,
    'Whether this process sends. With `false` it only writes to an outbox that others read, such as `redisOutbox()` gives.',
    true,
  ),
}

/** The schema of `config.delivery`, whose members are judged one by one. */
export const deliverySchema: ObjectSchema<MembersOf<DeliveryOptions>> = exactObject(
  'an object such as { maxPending: 1000 }',
  deliveryMembers,
)

/** The schema of `delivery` where nothing but sending is to be said. */
export const sendingSchema: ObjectSchema<MembersOf<SendingOptions>> = exactObject(
  'an object such as { maxInFlight: 4 }',
  sendingMembers,
)

/** The schema of `config.delivery`. */
export const sentDeliverySchema: Schema<DeliveryOptions> = refined(
  deliverySchema,
  ({ send, outbox }) => {
    if (send !== false || outbox?.isShared === true) return undefined
    return outbox
      ? 'an outbox that other processes read while this one lives, such as redisOutbox({ client }): what is in this one would never be sent'
      : 'an outbox that other processes read, such as redisOutbox({ client }): without one nothing would ever be sent'
  },
  'send',
)
