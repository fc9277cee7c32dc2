import * as sdk from '@segment/analytics-node'

/** The Segment SDK. A bundler has to see that it is imported. */
export function segmentSdk(): typeof sdk {
  return sdk
}
