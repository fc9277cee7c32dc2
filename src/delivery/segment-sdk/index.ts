import * as modules from 'node:module'

/**
 * Loads the Segment SDK when it is first asked for: a start, which may track nothing, does without it.
 *
 * This is how it goes where the sources run as they are. The build puts `on-demand.ts` in the place of this file, which every
 * tool that follows `require` understands, and `bundled.ts` for bundlers: see `#segment-sdk` in package.json.
 *
 * @throws What Node throws where the package is not installed.
 */
export function segmentSdk(): typeof import('@segment/analytics-node') {
  return modules.createRequire(import.meta.url)('@segment/analytics-node')
}
