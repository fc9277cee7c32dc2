import { runBuilt } from './built.js'

// What a tracking plan costs an event.
process.exitCode = await runBuilt('plan/cost.ts')
