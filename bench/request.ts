import { runBuilt } from './built.js'

// What reading a request costs.
process.exitCode = await runBuilt('request/reading.ts')
