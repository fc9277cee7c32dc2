/**
 * The schemas and step examples that walkerOS's tools read from a destination package.
 *
 * @packageDocumentation
 */

export * as examples from './destination/examples.js'
export * as schemas from './destination/schemas/published.js'
