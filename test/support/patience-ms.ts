/**
 * Milliseconds that a test waits for what has to come. A second or five, which are usual, say more about a busy machine than about
 * the code: what is waited for comes, or the test's own limit ends it.
 */
export const PATIENCE_MS = 15_000
