// The one error that a person starting a node is meant to read.

/** The node can't start, and the message says in one line what is wrong and what would be right. */
export class StartError extends Error {
  override readonly name = 'StartError'
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
  }
}
