/**
 * For fleets: what processes on many machines share in the Redis that they have.
 *
 * @packageDocumentation
 */

export type { RedisClient } from './client.js'
export { type RedisMemoryOptions, redisMemory } from './memory.js'
export { type RedisOutboxOptions, redisOutbox } from './outbox.js'
