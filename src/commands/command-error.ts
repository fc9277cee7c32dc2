/** A command line that is not understood: the usage is shown, and the exit code is 2. */
export class CommandError extends Error {}

/** Something is in use that a command would change: the exit code is 3, and nothing has been done. */
export class InUseError extends Error {}
