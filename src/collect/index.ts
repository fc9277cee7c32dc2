export type { Answer } from './answer.js'
export { Collector } from './collector.js'
export { type CollectOptions, collectRules } from './options.js'
export type { RateLimitOptions, RateLimitStore } from './rate-limit-options.js'
