export { CHECK_CODES, type CheckCode, type ValidateOption } from './codes.js'
export type { ReaderPlace } from './reader-answers.js'
export { SelfCheck, type SelfCheckFacts } from './self-check.js'
