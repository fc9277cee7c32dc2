import { runBuilt } from './built.js'

// What reading a request costs.
process.exitCode = await runBuilt('bench/request/reading.ts')
