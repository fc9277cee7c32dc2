import type { Page } from 'playwright-core'
import type { TrackedRequest } from '../../src/model/tracked-request.js'

/** A package as it is installed. */
export interface Package {
  /** Its name on npm. */
  readonly name: string
  /** The version that every change has to pass with. */
  readonly version: string
  /** What is taken with `--latest`. Defaults to `latest`; the older ones of two majors stay with theirs. */
  readonly latest?: string
  /** The name under which it is installed, where two versions of it are. */
  readonly as?: string
}

/** One thing that a visitor does, such as a click. */
export type Step = (page: Page) => Promise<unknown>

/** What visitors do, and what the server has to read of it. */
export interface State {
  readonly name: string
  readonly steps: readonly Step[]
  /** What is read; a function asks the page before it is left. */
  readonly expected: unknown
  /** The reader, where the site has to tell it something. */
  readonly reader?: (request: TrackedRequest) => unknown
}

/** A library, how a page loads it, and what is read of its cookies. */
export interface Library {
  /** The library itself, and what it needs beside itself. */
  readonly packages: readonly [Package, ...Package[]]
  /** Scripts of the packages that the page loads as they are. By default the library is bundled, as `library`. */
  readonly scripts?: readonly string[]
  /** What the page runs before the library is there. */
  readonly before?: string
  /** What the page runs on every load, once the library is there. */
  readonly setup: string
  /** Answers of other servers: a part of the address, and the JSON. All other requests fail. */
  readonly answers?: Readonly<Record<string, unknown>>
  /** The reader, as documentation writes it. */
  readonly reads: string
  readonly reader: (request: TrackedRequest) => unknown
  readonly states: readonly State[]
}

/** Clicks on what a selector finds first, once it is there. Without the library's styles it may be hidden. */
export function click(selector: string): Step {
  return (page) => page.locator(selector).first().dispatchEvent('click')
}

/** Runs a script of the site. */
export function run(script: string): Step {
  return (page) => page.evaluate(script)
}

/** Several steps as one. */
export function inTurn(...steps: readonly Step[]): Step {
  return async (page) => {
    for (const step of steps) await step(page)
  }
}

/** Runs a script of the site upon which the library loads the page again. */
export function runUntilReload(script: string): Step {
  return async (page) => {
    const loaded = page.waitForEvent('load')
    await page.evaluate(`void ${script}`)
    await loaded
  }
}

/** Comes back to the page, which may have changed meanwhile. */
export function comeBack(query = ''): Step {
  return (page) => page.goto(new URL(`?${query}`, page.url()).href)
}

export const everything = { functional: true, analytics: true, marketing: true }
export const onlyNecessary = { functional: true, analytics: false, marketing: false }
export const onlyAnalytics = { functional: true, analytics: true, marketing: false }
export const onlyMarketing = { functional: true, analytics: false, marketing: true }
