// The package's declarations bring walkerOS's types along. They are walkerOS's own, both ways.
import { startFlow } from '@walkeros/collector'
import type { Destination, Logger, Mapping, WalkerOS } from '@walkeros/core'
import type {
  PartialEvent,
  Rule,
  Rules,
  SegmentDestinationConfig,
  Settings,
  Tracker,
  TrackingConfig,
} from 'reqtrack'
import {
  type destinationSegment,
  type Env,
  type MappingSettings,
  destinationSegment as segment,
  type Types,
} from 'reqtrack/destination'
import { type RecordedTracking, recordTracking } from 'reqtrack/testing'

/** Compiles only if each type can stand for the other. */
type Same<Ours extends Theirs, Theirs extends Back, Back = Ours> = [Ours, Theirs]
/** Compiles only if the first type can stand for the second. */
type Fits<From extends To, To> = From
type Given<T> = Exclude<T, undefined>

export type Checked = [
  Same<RecordedTracking['events'][number], WalkerOS.Event>,
  // What may be tracked is more than an event: its data is copied to plain JSON.
  Fits<Partial<WalkerOS.Event>, PartialEvent>,
  Same<Given<SegmentDestinationConfig['consent']>, WalkerOS.Consent>,
  Same<Parameters<Tracker['consent']>[0], WalkerOS.Consent>,
  Same<Parameters<Tracker['user']>[0], WalkerOS.User>,
  Same<Given<SegmentDestinationConfig['data']>, Mapping.Data>,
  Same<Given<SegmentDestinationConfig['policy']>, Mapping.Policy>,
  Same<Given<SegmentDestinationConfig['mapping']>, Mapping.Rules<Rule>>,
  Same<Omit<Rule, 'skip'>, Mapping.Rule<MappingSettings>>,
  Same<Given<Settings['identify']>, Mapping.Value>,
  Same<Given<TrackingConfig['logger']>, Logger.Config>,
  Same<Types, Destination.Types<Settings, MappingSettings, Env, Partial<Settings>>>,
]

const mapping: Mapping.Rules<Mapping.Rule<MappingSettings>> = {
  order: { complete: { name: 'Order Completed' } },
}
const rules: Rules = mapping
const recorded = recordTracking({ mapping: rules, consent: { marketing: true } })
export const events: readonly WalkerOS.Event[] = recorded.events

export const destination: Destination.Instance<Types> = segment
export const code: typeof destinationSegment = segment
export const flow = startFlow({
  destinations: { segment: { code: segment, config: { settings: { writeKey: 'KEY' }, mapping } } },
})
