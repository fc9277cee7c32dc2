import { execFile } from 'node:child_process'
import { mkdir, open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const SIZE = '3m'
const CHUNK = Buffer.alloc(4_096)

/** A file system of a few megabytes. */
export interface SmallDisk {
  readonly directory: string
  /** Leaves no byte free. */
  fill(): Promise<void>
  /** Frees what was filled. */
  free(): Promise<void>
  /** Takes no writes any more. */
  makeReadOnly(): Promise<void>
  remove(): Promise<void>
}

/**
 * Mounts one.
 *
 * @returns Or why that is not possible: it takes a Linux, and its administrator.
 */
export async function mountSmallDisk(directory: string): Promise<SmallDisk | string> {
  await mkdir(directory, { recursive: true })
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${SIZE}`, 'tmpfs', directory])
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr).split('\n')[0] : error
    return `no file system can be mounted here: ${said}`
  }
  const ballast = join(directory, 'ballast')
  return {
    directory,
    async fill() {
      const file = await open(ballast, 'a')
      try {
        for (;;) await file.write(CHUNK)
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error
      } finally {
        await file.close()
      }
    },
    free: () => rm(ballast),
    async makeReadOnly() {
      await run('mount', ['-o', 'remount,ro', directory])
    },
    async remove() {
      await run('umount', ['-l', directory])
    },
  }
}
