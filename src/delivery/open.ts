import type { Logger } from '@walkeros/core'
import type { RequestReport } from '../observe/step.js'
import { Client } from './client.js'
import { Delivery } from './delivery.js'
import type { Ledger } from './ledger.js'
import type { Limits } from './limits.js'
import type { DeliveryOptions } from './options.js'
import type { DeliveryListener } from './outcomes.js'
import { createUnrefClient } from './own-client.js'
import type { Unsettled } from './process-end.js'
import type { ClientSettings, SegmentClient } from './segment-client.js'

/** What a delivery is opened with. */
export interface DeliverySetup {
  readonly client: ClientSettings
  /** The application's own client, or a stand-in, which is used in place of a new one. */
  readonly analytics: SegmentClient | undefined
  readonly options: DeliveryOptions | undefined
  readonly limits: Limits
  readonly ledger: Ledger
  readonly logger: Logger.Instance
  readonly listener: DeliveryListener
  readonly unsettled: Unsettled
  /** Who wants to hear of each request to Segment, if anybody does. */
  observer(): ((report: RequestReport) => void) | undefined
}

/** Opens a delivery with the one client that it has. */
export function openDelivery({
  client,
  analytics,
  options,
  limits,
  unsettled,
  observer,
  ...parts
}: DeliverySetup): Delivery {
  return new Delivery({
    ...parts,
    limits,
    outbox: options?.outbox,
    sends: options?.send !== false,
    writeKey: client.writeKey,
    flushAt: client.flushAt,
    flushInterval: client.flushInterval,
    openClient: (outcomes, gate) =>
      analytics
        ? Client.around(analytics, outcomes)
        : createUnrefClient({ ...client, flushAt: limits.maxBatch }, outcomes, {
            gate,
            unsettled,
            observer,
          }),
  })
}
