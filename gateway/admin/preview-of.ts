// A preview of changes against the traffic of this moment, with all that the plane knows.
import { preview, type Preview } from '../control/preview.ts'
import type { Change } from '../policy/change.ts'
import type { Plane } from './plane.ts'

export async function previewOf(plane: Plane, changes: readonly Change[]): Promise<Preview> {
  const { holds, mode, drills } = plane.intent()
  return preview(changes, {
    input: { regions: plane.regions(), holds: [...holds, ...plane.drains()], mode },
    readings: await plane.measured.read(),
    // Whoever is in a drill's cohort has fewer to turn to.
    drills: { before: drills, after: drills, bounds: plane.drills.bounds() },
    ownMode: plane.fileMode(),
    warmShare: (of) => plane.inMode(of).standby.warmShare,
  })
}
