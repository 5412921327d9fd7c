// Time as an argument: loops take a clock, so that a test can drive them.

export interface Clock {
  /** Monotonic milliseconds, with fractions. */
  now(): number
  /** Runs `task` once, `delayMs` from now. The returned function cancels it and may be called again. */
  after(delayMs: number, task: () => void): () => void
}
