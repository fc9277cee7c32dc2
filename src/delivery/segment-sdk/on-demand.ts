type Sdk = typeof import('@segment/analytics-node')

let sdk: Sdk | undefined

/** Loads the Segment SDK when it is first asked for. In CommonJS, also where ESM imports it: nothing else can load later and not wait. */
export function segmentSdk(): Sdk {
  sdk ??= require('@segment/analytics-node') as Sdk
  return sdk
}
