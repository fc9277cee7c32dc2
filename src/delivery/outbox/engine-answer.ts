import { isList } from '../../support/instance.js'
import type { TakenCall } from './outbox.js'
import type { Place } from './stored-queue-listener.js'

/** More than any engine hands out at a time: a list's length says nothing of what is in it. */
const MAX_CALLS = 100_000

/**
 * The calls in what an engine has answered, which may be anybody's.
 *
 * @throws TypeError for an answer that holds no calls, which nobody could go on with.
 */
export function callsIn(answer: readonly TakenCall[]): readonly TakenCall[] {
  if (isList(answer) && answer.length <= MAX_CALLS && answer.every(isCall)) return answer
  throw new TypeError('the outbox has answered with something else than a list of calls')
}

function isCall(value: Partial<TakenCall> | null | undefined): boolean {
  return typeof value?.text === 'string' && typeof value.messageId === 'string'
}

/** Where a call that was taken is stored. */
export function placeOf({ receipt, text, isOwn }: TakenCall): Place {
  return { receipt, characters: text.length, isOwn }
}
