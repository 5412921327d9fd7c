// Counts requests in flight and says when the node is full.

/** How busy the node is: what `/load` reports. */
export interface LoadReport {
  readonly inFlight: number
  readonly limit: number
  readonly draining: boolean
}

export class LoadGate {
  readonly #limit: number
  #inFlight = 0
  #draining = false

  /** @param limit Requests let in at once, at least 1. */
  constructor(limit: number) {
    this.#limit = limit
  }

  /** Lets one request in, unless the node is full. Whoever got in must `leave` exactly once. */
  tryEnter(): boolean {
    if (this.#inFlight >= this.#limit) return false
    this.#inFlight += 1
    return true
  }

  leave(): void {
    this.#inFlight -= 1
  }

  /** Announces that the node is going; it still lets requests in. */
  startDraining(): void {
    this.#draining = true
  }

  get draining(): boolean {
    return this.#draining
  }

  report(): LoadReport {
    return { inFlight: this.#inFlight, limit: this.#limit, draining: this.#draining }
  }
}
