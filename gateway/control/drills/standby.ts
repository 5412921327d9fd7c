// What a gateway that does not run drills watches: whether whoever does still puts the leases off.
import type { Drill } from '../../model/drill.ts'
import { drillLeasePrefix } from '../intent/drills.ts'
import type { Lock } from '../registry/lock.ts'
import type { Versioned } from '../registry/typed.ts'

/** So often they are put off at the least while a drill is on, so that others see that somebody does it, ms. */
export const putOffEveryMs = 2000
/** Untouched for so long, nobody runs drills: time to take over before they end, ms. */
const overdueMs = 7000

/** By what is seen here alone, so that no clock has to agree with another. */
export class Standby {
  private seen = new Map<string, { readonly version: number; readonly at: number }>()

  /**
   * Looks once, and takes the lock away from who does not use it.
   * @param now Monotonic ms.
   * @throws {RegistryUnavailable}
   */
  async look(
    lock: Pick<Lock, 'registry' | 'depose'>,
    drills: readonly Versioned<Drill>[],
    now: number,
  ): Promise<void> {
    const isAnyOn = drills.some(({ value }) => value.state === 'running')
    const leases = isAnyOn ? await lock.registry.list(drillLeasePrefix) : []
    const before = this.seen
    this.seen = new Map(
      leases.map(({ key, version }) => {
        const last = before.get(key)
        return [key, last?.version === version ? last : { version, at: now }]
      }),
    )
    if (![...this.seen.values()].some(({ at }) => now - at >= overdueMs)) return
    this.forget()
    await lock.depose()
  }

  /** This gateway runs drills itself. */
  forget(): void {
    this.seen.clear()
  }
}
