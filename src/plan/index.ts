/**
 * The tracking plan: which events there are, and what their data have to be.
 *
 * @packageDocumentation
 */

export type { PlainJson } from '../model/plain-json.js'
export { definePlan } from './define-plan.js'
export type {
  Invalid,
  PlanDefinition,
  PlanEntries,
  PlanEntry,
  PlanPolicies,
  Unplanned,
} from './definition.js'
export type { EventPolicy, PlanOptions } from './from-json/options.js'
export { type SegmentPlanOptions, segmentPlan } from './from-json/segment-plan.js'
export { type WalkerOSContractOptions, walkerOSContract } from './from-json/walkeros-contract.js'
export type { Plan, PlanJson } from './plan.js'
export { PlanError, type PlanProblem } from './plan-error.js'
export type { EntryJson } from './planned.js'
export type { PlannedEvents } from './planned-events.js'
export type { JsonSchema, StandardIssue, StandardResult, StandardSchema } from './standard-schema.js'
