// Errors that cross a module's edge, each with what its catcher must know to decide.

/** A person gave us something that can't be used. The message says what, where, and what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
