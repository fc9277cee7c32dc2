/** A command line that is not understood: the usage is shown, and the exit code is 2. */
export class CommandError extends Error {}
