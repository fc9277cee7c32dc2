import { pathToFileURL } from 'node:url'
import { findOnPath, installDebianPackage } from './debian-package.js'

const NAMES = ['redis-server', 'valkey-server']

/** Says in one line how to get a Redis. */
export const HOW_TO_GET_REDIS =
  'There is no redis-server here: install it (Debian: `apt-get install redis-server` as root; macOS: ' +
  '`brew install redis`), or say where it is with REDIS_SERVER_PATH=/path/to/it.'

/**
 * Finds a Redis server, or Valkey, to start: `REDIS_SERVER_PATH`, or the first on the `PATH`. Where there is none, it is
 * installed on Debian and its like, if we may.
 *
 * @returns Its file.
 * @throws If there is none and it cannot be installed, with what to do about it in one line.
 */
export function ensureRedis(): string {
  const file = findRedis() ?? (installDebianPackage('redis-server') ? findRedis() : undefined)
  if (file) return file
  throw new Error(HOW_TO_GET_REDIS)
}

/** @returns The file of a Redis server that is installed; `undefined` where there is none. */
export function findRedis(): string | undefined {
  return process.env.REDIS_SERVER_PATH || findOnPath(NAMES)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  try {
    console.log(ensureRedis())
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
