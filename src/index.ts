/**
 * What an application imports: making a tracking, and the readers of a request.
 *
 * @packageDocumentation
 */

// What it configures and is told.
export type { TrackingConfig } from './config/config.js'
export { ConfigError, type ConfigProblem } from './config/config-error.js'
export { type ContextAdapter, fromAsyncLocalStorage } from './context/ambient.js'
export type {
  AsideReason,
  DeliveryOptions,
  Erased,
  Erasure,
  Health,
  OpenOutbox,
  Outbox,
  OutboxLimits,
  OutboxSession,
  SegmentClient,
  StoredCall,
  TakenCall,
  TakeOptions,
  TrackingStats,
  Waiting,
} from './delivery/index.js'
export type { BeforeSend } from './destination/before-send.js'
export { hashed, only } from './destination/call-paths.js'
export { type EcommerceRule, type EcommerceRules, segmentEcommerce } from './destination/ecommerce.js'
export type {
  OpenPeopleMemory,
  PeopleAnswer,
  PeopleMemory,
  PeopleStep,
  PeopleTask,
} from './destination/people-memory.js'
export type {
  MappingSettings,
  Rule,
  RuleContext,
  RuleData,
  RuleEvent,
  RulePath,
  RuleValue,
  RuleValueConfig,
} from './destination/rule.js'
export type { Rules } from './destination/rules-of-events.js'
export type { Env, SegmentDestinationConfig, Settings } from './destination/settings.js'
export type { Carried, CarryOptions, ResumeOptions } from './model/carried.js'
// What it sees of events and calls.
export type { DroppedEvent, DropReason } from './model/drop.js'
export type { EventOptions, PartialEvent } from './model/event.js'
export type { FailedCall, FailureReason } from './model/failure.js'
export type { Identity } from './model/identity.js'
// What it tracks with, and merges its events into.
export type { Outcome } from './model/outcome.js'
export type { PersonFact } from './model/person-fact.js'
export type { PlainJson } from './model/plain-json.js'
export type { CallParams, CallType, Integrations, SegmentCall, SegmentContext } from './model/segment-call.js'
export type { Sender } from './model/sender.js'
export type { ShutdownReport } from './model/shutdown-report.js'
export type { SignalOptions } from './model/signal-options.js'
export type { TimeoutOptions } from './model/timeout-options.js'
export type { Reader, TrackedRequest } from './model/tracked-request.js'
export type {
  EventName,
  NoIdentifyArguments,
  Track,
  TrackArguments,
  TrackEvents,
  TrackedEvent,
  Tracker,
  View,
} from './model/tracker.js'
export type { JsonKind, Violation } from './model/violation.js'
export type { TrackingCallbacks } from './observe/callbacks.js'
export type { CheckCode, ValidateOption } from './observe/self-check/index.js'
// The readers of consent.
export {
  adobe,
  axeptio,
  borlabs,
  type CategoryMap,
  type ConsentOptions,
  c15t,
  civic,
  complianz,
  consentCookie,
  consentHeader,
  cookiebot,
  cookieFirst,
  cookieHub,
  cookieInformation,
  cookieLawInfo,
  cookieNotice,
  cookieScript,
  cookieYes,
  didomi,
  drupalEuCookieCompliance,
  evidon,
  fides,
  globalPrivacyControl,
  googleFundingChoices,
  gpp,
  hubSpot,
  iubenda,
  ketch,
  klaro,
  mooveGdpr,
  oneTrust,
  orejime,
  osanoCookieConsent,
  piwikPro,
  reactCookieConsent,
  realCookieBanner,
  securiti,
  segmentConsentManager,
  strictest,
  tarteaucitron,
  tcf,
  tealium,
  trustArc,
  usPrivacy,
  vanillaCookieConsent,
  type WalkerKey,
  wix,
  wpConsentApi,
} from './request/consent/index.js'
export type { Globals } from './request/globals.js'
// What it reads requests with.
// The readers of identity.
export {
  amplitudeCookie,
  type CookieCreationOptions,
  cookie,
  googleAnalyticsCookie,
  googleTagServerCookie,
  header,
  matomoCookie,
  mixpanelCookie,
  postHogCookie,
  rudderStackCookie,
  segmentCookie,
  sessionValue,
  signedInUser,
  snowplowCookie,
  walkerOSCookies,
} from './request/identity/index.js'
export type { RequestContextOptions } from './request/segment-context.js'
export type { RequestOptions } from './request/sender.js'
export { bots, prefetches } from './request/skip.js'
export type { TrustProxy } from './request/trusted-proxies.js'
export { Level, type LevelName, levelName } from './support/level-name.js'
export type { DispatchOption } from './tracker/event-way.js'
export { signCarried } from './tracker/signed-carried.js'
export type { HandleOptions, Tracking } from './tracker/tracking.js'
export { createTracking } from './tracking.js'
