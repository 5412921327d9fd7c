// Signs what this node knows of a resident: the code that is shown, or the credential that a phone keeps (制码).
import type { Resident } from './resident.ts'
import type { CodeService } from './service.ts'
import type { CodeSubject, Signing } from './signing/code-signer.ts'
import type { CodeKind } from './verify/claims.ts'
import { secondsOf } from './verify/fields.ts'

/** Never a better colour than the store's: what is signed is what stands there. */
export async function issueCode(service: CodeService, resident: Resident, kind: CodeKind): Promise<Signing> {
  const { authority, clock, codeValidityMs } = service
  const { signer } = authority
  if (signer === null) return { ok: false, reason: 'no-key' }
  const subject = subjectOf(resident)
  const nowMs = clock()
  return kind === 'display'
    ? signer.display(subject, { nowMs, lifetimeSeconds: codeValidityMs / 1000 })
    : signer.carried(subject, { nowMs })
}

function subjectOf({ residentToken, homeRegion, status, updatedAtMs, testTimeMs }: Resident): CodeSubject {
  const tested = testTimeMs === null ? {} : { tst: secondsOf(testTimeMs) }
  // The second of the last change orders codes as a count would, and a backup that took a test counts alike.
  return { hom: homeRegion, sub: residentToken, st: status, seq: secondsOf(updatedAtMs), ...tested }
}
