// What tools of walkerOS read of a destination package: its schemas and its step examples.
export * as examples from './destination/examples.js'
export * as schemas from './destination/schemas/published.js'
