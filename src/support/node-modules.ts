import type http from 'node:http'
import type https from 'node:https'
import * as modules from 'node:module'
import type util from 'node:util'

// Node's own modules are found from any path. A bundle has `createRequire` once already, from the banner that ESM needs.
const load = modules.createRequire('/')

let loadedHttp: typeof http | undefined
let loadedHttps: typeof https | undefined

/**
 * Node's `node:http`, loaded when it is first used.
 *
 * An import of it reads every export, and from Node 22 on some of them load Node's `fetch`: 20 ms of CPU at the start of an
 * application.
 */
export function nodeHttp(): typeof http {
  const loaded: typeof http = loadedHttp ?? load('node:http')
  loadedHttp = loaded
  return loaded
}

/** Node's `node:https`, loaded when it is first used. */
export function nodeHttps(): typeof https {
  const loaded: typeof https = loadedHttps ?? load('node:https')
  loadedHttps = loaded
  return loaded
}

/** Node's `node:util`, loaded when it is first used: 3 ms of CPU, where it is not loaded for something else. */
export function nodeUtil(): typeof util {
  return load('node:util')
}
