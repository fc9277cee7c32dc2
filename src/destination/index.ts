/**
 * walkerOS's Segment destination, for its own collector.
 *
 * @packageDocumentation
 */

export type { SegmentClient } from '../delivery/index.js'
export type { MappingSettings, Rule } from './rule.js'
export type { Rules } from './rules-of-events.js'
export type { Env, SegmentDestinationConfig, Settings, Types } from './settings.js'
export { destinationSegment, destinationSegment as default } from './walkeros.js'
