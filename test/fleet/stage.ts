import type { RedisServer, RedisServerOptions } from '../../scripts/redis-server.js'
import type { SegmentServer } from '../../src/testing/index.js'
import type { LoadOptions } from '../faults/load.js'
import type { Load } from '../faults/process.js'
import type { Wire } from './proxy.js'

/** What a case of the fleet works with. */
export interface FleetStage {
  readonly segment: SegmentServer
  readonly redis: RedisServer
  /** The wire by which the processes reach it. */
  readonly proxy: Wire
  /** How often a case that chooses random instants does so. */
  readonly times: number
  /** A directory for fallbacks. */
  readonly directory: string
  /** Milliseconds after which a process counts as dead. */
  readonly claimAfter: number
  /** Starts a web process, which sends. */
  web(options?: Partial<LoadOptions>): Promise<Load>
  /** Starts a web process that only writes. */
  writer(options?: Partial<LoadOptions>): Promise<Load>
  /** Starts a process that only sends. */
  relay(): Promise<Load>
  /** Has all further processes ask these sentinels which Redis is the master. */
  askSentinels(ports: readonly number[]): void
  /** Sends a command to Redis, past the wire. */
  command(name: string, ...more: string[]): Promise<unknown>
  /** One more Redis, which ends with the case. */
  another(options: RedisServerOptions): Promise<RedisServer>
}

/** One fault, and what it does to a fleet under load. */
export interface FleetCase {
  readonly name: string
  /** How Redis is started. */
  readonly redis?: readonly string[]
  /** Calls may be lost, since Redis has lost them: they are estimated, and said. */
  readonly mayLose?: boolean
  /** Milliseconds after which a process counts as dead; a second by default. */
  readonly claimAfter?: number
  /** No call may arrive twice. */
  readonly repeatsNothing?: boolean
  /** Why calls may be given up. */
  readonly mayGiveUp?: readonly string[]
  run(stage: FleetStage): Promise<void>
}
