// Fills a store with the synthetic residents of the regions that it holds.
import { syntheticResident, syntheticResidentIds } from './synthetic.ts'
import type { Store } from './store/store.ts'

/**
 * Adds what is missing, in one transaction; residents already there keep their colour and tests.
 *
 * @param regions Division codes: the node's own and those that it backs up.
 * @param residents Residents wanted of each region, 0 or more. A store with more keeps them.
 */
export async function seedResidents(
  store: Store,
  regions: readonly string[],
  residents: number,
  nowMs: number,
): Promise<void> {
  await store.write(() => {
    const held = new Map(store.holdings.all().map((holding) => [holding.region, holding.residents]))
    for (const region of regions) {
      const present = held.get(region)
      if (present !== undefined && present >= residents) continue
      for (const id of syntheticResidentIds(region, (present ?? 0) + 1, residents)) {
        const { resident, tests } = syntheticResident(id, region)
        if (!store.residents.add(resident)) continue
        for (const test of tests) store.tests.add(resident.residentToken, test)
      }
      store.holdings.put({ region, residents, refreshedAtMs: nowMs })
    }
  })
}
