import type { PeopleMemory } from '../destination/people-memory.js'
import { hasMethod, opaque, type Schema } from '../support/schema/index.js'

/** Something that remembers people. */
export const memorySchema: Schema<PeopleMemory> = opaque(
  'a memory of people, such as redisMemory() of reqtrack/redis gives',
  (value) => typeof value === 'object' && hasMethod(value, 'open'),
)
