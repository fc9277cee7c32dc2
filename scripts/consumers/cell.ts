/** The tables of docs/compatibility.md, in their order. */
export const AREAS = [
  'Runtimes',
  'Frameworks',
  'TypeScript',
  'Bundlers',
  'Package managers',
  'Test runners',
] as const

/** Where the packed package is used. */
export interface Stage {
  /** What `npm publish` would send. */
  readonly tarball: string
  /** A project into which npm has installed the packed package and what it is used with. */
  readonly project: string
  /** Whether all of a cell is to be run, or what can be in a few seconds. */
  readonly isFull: boolean
  /** @returns A new folder below the project, where what is installed is found, with a `package.json` of the given type. */
  folder(name: string, type?: 'module' | 'commonjs'): string
}

/** One tool that uses the package, in one version. */
export interface Cell {
  readonly area: (typeof AREAS)[number]
  /** The tool and its version, such as `esbuild 0.28.2`. */
  readonly name: string
  /** What is run, for the table. */
  readonly what: string
  /** Whether every run has it; the others are run with `--full`. */
  readonly isQuick?: boolean
  /** What does not work with it: the run has to end with an error that says this. */
  readonly limit?: { readonly says: RegExp; readonly note: string }
  /** @throws If the package does not work there. */
  readonly run: (stage: Stage) => Promise<void>
}
