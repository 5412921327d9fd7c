// How many enrolments one donor may have: each is read anew with every decision of anybody, in every process.
import { enrolmentPrefix } from '../control/intent/enrolments.ts'
import type { RegistryChange } from '../control/registry/port.ts'
import type { RegionId } from '../model/ids.ts'
import type { Plane } from './plane.ts'
import { Problem } from './problem.ts'
import { reportPrefix } from './verifications.ts'

const removal = (key: string, expectedVersion: number): RegistryChange => ({
  key,
  value: null,
  expectedVersion,
})

/** Of one donor, that are not withdrawn. */
const liveAtMost = 20
/** The same of one province, so that its operators use up nobody else's room. */
const liveOfProvinceAtMost = 100
/** Of one donor, that are withdrawn; the audit log has the older ones. */
const withdrawnAtMost = 20
/** Removed at once: a registry commits a bounded number of changes. */
const removedAtMost = 20

/**
 * Room for one more of `donor`.
 * @returns Removals of the oldest withdrawn ones and of their reports, to be written with it.
 * @throws {Problem} `conflict`
 */
export async function roomForOne(
  { enrolments, registry }: Pick<Plane, 'enrolments' | 'registry'>,
  donor: RegionId,
): Promise<RegistryChange[]> {
  const all = await enrolments()
  const province = donor.slice(0, 2)
  const ofProvince = all.filter(
    ({ value }) => value.state !== 'withdrawn' && value.terms.donor.code.startsWith(province),
  )
  if (ofProvince.length >= liveOfProvinceAtMost) {
    throw new Problem(
      'conflict',
      `the regions ${province}… have ${liveOfProvinceAtMost} enrolments that are not withdrawn; withdraw one of them first`,
    )
  }
  const own = all.filter(({ value }) => value.terms.donor.code === donor)
  const withdrawn = own.filter(({ value }) => value.state === 'withdrawn')
  if (own.length - withdrawn.length >= liveAtMost) {
    throw new Problem(
      'conflict',
      `${donor} has ${liveAtMost} enrolments that are not withdrawn; edit or withdraw one of them first`,
    )
  }
  const oldest = withdrawn
    .toSorted((a, b) => a.value.createdAt - b.value.createdAt)
    .slice(0, Math.min(removedAtMost, Math.max(0, withdrawn.length - withdrawnAtMost)))
  const reports = await Promise.all(oldest.map(({ value }) => registry.read(reportPrefix + value.id)))
  return [
    ...oldest.map(({ value, version }) => removal(enrolmentPrefix + value.id, version)),
    ...reports.flatMap((report) => (report === null ? [] : [removal(report.key, report.version)])),
  ]
}
