// The door for walkerOS projects.

export type { SegmentClient } from '../delivery/index.js'
export type {
  Env,
  MappingSettings,
  Rule,
  Rules,
  SegmentDestinationConfig,
  Settings,
  Types,
} from './settings.js'
export { destinationSegment, destinationSegment as default } from './walkeros.js'
