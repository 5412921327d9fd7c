// What the page of a checkpoint does, run by a test in a context without Node.
import { emptyLists, takeRevocationList, takeTrustList } from '../../../region-node/verify/lists.ts'
import { readRoots } from '../../../region-node/verify/roots.ts'
import { verifyCode } from '../../../region-node/verify/verify-code.ts'

export interface CheckpointKit {
  readonly root: unknown
  readonly trust: string
  readonly revocations: string
  readonly nowMs: number
}

export async function judge(
  code: string,
  { root, trust, revocations, nowMs }: CheckpointKit,
): Promise<string> {
  const read = await readRoots(root)
  if (!read.ok) return read.detail
  const trusting = await takeTrustList(emptyLists(read.roots), trust, { nowMs })
  if (!trusting.ok) return trusting.detail
  const complete = await takeRevocationList(trusting.lists, revocations, { nowMs })
  if (!complete.ok) return complete.detail
  const verdict = await verifyCode(code, complete.lists, { nowMs })
  return verdict.outcome === 'valid' ? `valid ${verdict.claims.st}` : verdict.outcome
}
