// Schemas: what values have to be, as data, and what is wrong with others.
export { hasMethod, isJson } from './judge.js'
export {
  anyOf,
  exactObject,
  filledText,
  functionOf,
  integerFrom,
  lazy,
  listOf,
  number,
  objectWith,
  oneOf,
  opaque,
  openObject,
  optional,
  pairOf,
  positive,
  recordOf,
  refined,
  required,
  text,
  yesOrNo,
} from './make.js'
export { type Problem, problemsOf } from './problems.js'
export type { Member, Members, MembersOf, ObjectSchema, Schema } from './schema.js'
