import { ensureRedis } from '../../scripts/ensure-redis.js'

/** Before all tests: installing takes longer than a test may, and a machine without Redis is told what it leaves out. */
export default function setup(): void {
  try {
    ensureRedis()
  } catch (error) {
    console.warn(
      `Tests that need Redis are skipped. ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}
