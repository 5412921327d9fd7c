// The bounds of a verification, as shipped.
import type { RegionId } from '../../model/ids.ts'
import type { RampBounds } from '../../policy/verification-ramp.ts'

export interface VerificationSettings extends RampBounds {
  /** Time for all checks before the ramp, of all nodes and homes together, ms: a node that stalls holds up no other verification. */
  readonly checksMs: number
  /** Deadline of a connection, and of an answer after it, ms. */
  readonly timeoutMs: number
  /** Difference between a node's clock and ours above which its codes would be refused or outlive their time, ms. */
  readonly mostSkewMs: number
  /** Validity that a node's certificate must have left, ms. */
  readonly leastCertificateMs: number
  /** Growth of a p99 below which it is noise and no harm, ms. */
  readonly growthFloorMs: number
  /** Longest answer that is read, bytes. */
  readonly mostBytes: number
  /** A resident for tests, whom every node that serves the home knows. Synthetic. */
  readonly testResident: (home: RegionId) => string
}

export const verificationSettings: VerificationSettings = {
  totalMs: 20_000,
  mostRequests: 30_000,
  mostRps: 2000,
  checksMs: 300_000,
  timeoutMs: 2000,
  mostSkewMs: 5000,
  leastCertificateMs: 86_400_000,
  growthFloorMs: 50,
  mostBytes: 65_536,
  testResident: (home) => `R${home}-000001`,
}
