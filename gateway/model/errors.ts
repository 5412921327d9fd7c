// Errors that cross a module's edge, each with what its catcher must know to decide.

/** The system's name for what went wrong, such as `ENOENT`; empty where it gives none. */
export const errorCode = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'code' in cause ? String(cause.code) : ''

/** What went wrong in words, whatever was thrown. */
export const errorText = (cause: unknown): string =>
  typeof cause === 'object' && cause !== null && 'message' in cause ? String(cause.message) : String(cause)

/** A person gave us something that can't be used. The message says what, where, and what would be right. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}
