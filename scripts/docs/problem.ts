/** Something that is wrong with a page. */
export interface Problem {
  /** The page's path, from the repository's root. */
  readonly page: string
  /** From 1. */
  readonly line: number
  readonly message: string
}
