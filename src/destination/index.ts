// What a walkerOS project imports.

export type {
  Env,
  MappingSettings,
  Rule,
  Rules,
  SegmentClient,
  SegmentDestinationConfig,
  Settings,
  Types,
} from './settings.js'
export { destinationSegment, destinationSegment as default } from './walkeros.js'
