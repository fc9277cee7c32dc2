import { isRecord } from '../model/values.js'
import { lineOfCall } from '../observe/format-call.js'
import type { ReceivedCall } from './received-calls.js'

/**
 * Formats a call as one readable line for terminals and development logs: type, name, ids, properties or traits,
 * consent.
 *
 * Long parts are cut and end in `…`. Control characters are escaped, because calls carry visitors' input, which could
 * steer a terminal. The line contains personal data: keep it out of production logs.
 *
 * @param call - A call as {@link createSegmentServer} received it.
 * @returns The line, without a line break.
 * @throws TypeError for what is no call.
 *
 * @example
 * const server = await createSegmentServer({ onCall: (call) => console.log(formatCall(call)) })
 * // track     Order Completed  user=u1 anon=a1  {"total":42}  consent: analytics=true marketing=false
 */
export function formatCall(call: ReceivedCall): string {
  if (!isRecord(call) || typeof call.type !== 'string') {
    throw new TypeError(`formatCall was given ${typeof call}; expected a call such as those in server.calls`)
  }
  return lineOfCall(call)
}
