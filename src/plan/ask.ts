import { nameOf } from '../support/log.js'
import { answerWithin, isPromise, type Maybe } from '../support/maybe.js'
import type { StandardResult, StandardSchema } from './standard-schema.js'

/** Milliseconds that an asynchronous schema may take. */
const LIMIT_MS = 2_000

/** Is told what is wrong with the plan itself. */
export type Fault = (problem: string) => void

/**
 * Asks a schema about a value, at once unless it is asynchronous. Never throws or rejects.
 *
 * @param event - The event's name, for messages.
 * @returns `undefined` where the schema itself failed: that is no fault of the value's, which counts as valid.
 */
export function ask(
  schema: StandardSchema,
  value: unknown,
  event: string,
  fault: Fault,
): Maybe<StandardResult<unknown> | undefined> {
  try {
    const result = schema['~standard'].validate(value)
    return isPromise(result) ? askInTime(result, event, fault) : readable(result, event, fault)
  } catch (error) {
    return failed(`threw ${nameOf(error)}`, event, fault)
  }
}

async function askInTime(
  result: Promise<StandardResult<unknown>>,
  event: string,
  fault: Fault,
): Promise<StandardResult<unknown> | undefined> {
  const answer = await answerWithin(
    result.then(
      (settled) => ({ settled }),
      (error: unknown) => ({ problem: `rejected with ${nameOf(error)}` }),
    ),
    LIMIT_MS,
  )
  if (answer === undefined) return failed(`took longer than ${LIMIT_MS} ms`, event, fault)
  return 'problem' in answer ? failed(answer.problem, event, fault) : readable(answer.settled, event, fault)
}

/** What a schema answered, if it is an answer. */
function readable(
  result: StandardResult<unknown> | undefined,
  event: string,
  fault: Fault,
): StandardResult<unknown> | undefined {
  const issues: unknown = result?.issues
  if (result && (issues === undefined || Array.isArray(issues))) return result
  return failed('answered with neither a value nor a list of issues', event, fault)
}

/** @param how - Without the message of what was thrown, which may quote the value. */
function failed(how: string, event: string, fault: Fault): undefined {
  fault(`the plan's schema of ${quoted(event)} ${how}: the event counts as valid`)
}

/** An event's name as it stands in messages. */
export function quoted(name: string): string {
  return JSON.stringify(name.slice(0, 60))
}
