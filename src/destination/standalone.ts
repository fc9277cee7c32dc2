import type { Logger, Mapping } from '@walkeros/core'
import type { BeforeSend } from './before-send.js'
import type { People } from './people.js'
import type { PipelineOptions } from './pipeline.js'

/** Milliseconds that an asynchronous function of the mapping may take. */
const FUNCTION_TIMEOUT_MS = 2_000

/**
 * The options of a pipeline that runs without a walkerOS collector: an event's data become its properties, and the
 * application's functions are limited in time.
 *
 * @param fault - Reports a mapping function or a `beforeSend` that failed.
 * @param beforeSend - One function or several, asked in their order.
 * @param people - Who was identified and grouped.
 */
export function standaloneOptions(
  logger: Logger.Instance,
  fault: (message: string, error: unknown) => void,
  beforeSend: BeforeSend | readonly BeforeSend[] = [],
  people?: People,
): PipelineOptions {
  return {
    people,
    scope: {
      collector: emptyCollector(logger),
      logger,
      plain: true,
      functions: {
        limitMs: FUNCTION_TIMEOUT_MS,
        failed: (problem, event, error) => fault(`${problem}: event ${JSON.stringify(event)}`, error),
      },
    },
    dataAsProperties: true,
    beforeSend: typeof beforeSend === 'function' ? [beforeSend] : beforeSend,
  }
}

/** walkerOS promises mapping functions a collector: this one holds nobody's user and nobody's consent. */
function emptyCollector(logger: Logger.Instance): Mapping.Context['collector'] {
  const collector = {
    consent: Object.freeze({}),
    globals: Object.freeze({}),
    user: Object.freeze({}),
    logger,
  }
  return Object.freeze(collector) as never
}
