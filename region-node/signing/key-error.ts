// The one error about keys that a person is meant to read.

/** Says which file or key, what is wrong with it and what to do. Never holds key material, nor a cause that might. */
export class KeyError extends Error {
  override readonly name = 'KeyError'
}
