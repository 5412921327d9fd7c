// What a gateway that does not run drills watches: whether whoever does still puts the leases off.

/** So often they are put off at the least while a drill is on, so that others see that somebody does it, ms. */
export const putOffEveryMs = 2000
/** Untouched for so long, nobody runs drills: time to take over before they end, ms. */
const overdueMs = 7000

export interface LeaseSeen {
  readonly key: string
  /** Moves each time that it is put off. */
  readonly version: number
}

/** By what is seen here alone, so that no clock has to agree with another. */
export class Standby {
  private seen = new Map<string, { readonly version: number; readonly at: number }>()

  /** @param leases Those of drills that are on. @param now Monotonic ms. @returns Whether one is overdue. */
  look(leases: readonly LeaseSeen[], now: number): boolean {
    const before = this.seen
    this.seen = new Map(
      leases.map(({ key, version }) => {
        const last = before.get(key)
        return [key, last?.version === version ? last : { version, at: now }]
      }),
    )
    return [...this.seen.values()].some(({ at }) => now - at >= overdueMs)
  }

  /** After it was acted upon, or where this gateway runs drills itself. */
  forget(): void {
    this.seen.clear()
  }
}
