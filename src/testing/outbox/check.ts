import { AssertionError } from 'node:assert'
import { messageOf } from '../../delivery/failure.js'
import type { Outbox } from '../../delivery/outbox/outbox.js'
import { isRecord } from '../../model/values.js'
import { assertOptions } from '../arguments.js'
import { shown } from '../partial-match.js'
import { Bench } from './bench.js'
import { DEFAULTS, type OutboxCheckOptions } from './options.js'
import { promises } from './promises.js'

/** What was found out of an outbox that keeps all its promises. */
export interface OutboxReport {
  /** The promises that were checked, in words. */
  readonly kept: readonly string[]
  /** Those that the given options gave no means to check. */
  readonly leftOut: readonly string[]
}

const OPTIONS: Readonly<Record<keyof OutboxCheckOptions, true>> = {
  takeoverMs: true,
  settleMs: true,
  answerMs: true,
  maxCalls: true,
  module: true,
  fault: true,
}

/**
 * Checks that an outbox keeps the contract that the delivery stands on: durability between a write and its outcome, order,
 * takeover, no call to two at a time, bounds, write keys apart, erasure, and behaviour under faults. Every engine has to
 * pass, those of this package included.
 *
 * @param make - Makes the outbox on the same storage each time, as several processes would. What is stored there by earlier
 * checks does no harm.
 * @param options - How long things may take, and what the outbox can be put through besides.
 * @throws AssertionError that lists the promises that do not hold, and TypeError for arguments that are none.
 *
 * @example
 * await checkOutbox(() => fileOutbox({ directory }))
 */
export async function checkOutbox(
  make: () => Outbox | Promise<Outbox>,
  options: Partial<OutboxCheckOptions> = {},
): Promise<OutboxReport> {
  if (typeof make !== 'function') {
    throw new TypeError(
      `checkOutbox was given ${shown(make)}; expected a function that makes the outbox: checkOutbox(() => fileOutbox({ directory }))`,
    )
  }
  assertOptions('checkOutbox', options, Object.keys(OPTIONS))
  const made: unknown = await make()
  if (!isRecord(made) || typeof made.open !== 'function')
    throw new TypeError('checkOutbox: the function that was given makes no outbox: it has no open()')
  const kept: string[] = []
  const leftOut: string[] = []
  const broken: string[] = []
  for (const { name, applies, check } of promises) {
    const bench = new Bench(make, { ...DEFAULTS, ...options })
    if (applies && !applies(bench)) {
      leftOut.push(name)
      continue
    }
    try {
      await check(bench)
      kept.push(name)
    } catch (error) {
      broken.push(`${name}: ${messageOf(error)}`)
    } finally {
      await bench.closeAll()
    }
  }
  if (broken.length === 0) return { kept, leftOut }
  throw new AssertionError({
    message: `the outbox breaks ${broken.length} of ${broken.length + kept.length} promises:\n${broken.map((line) => `  - ${line}`).join('\n')}`,
    actual: broken,
    expected: [],
    operator: 'checkOutbox',
    stackStartFn: checkOutbox,
  })
}
