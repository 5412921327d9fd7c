// What tests ask of a scorecard.
import { readFileSync } from 'node:fs'
import type { Scorecard } from '../../../region-node/conformance/run.ts'
import type { RootKey } from '../../../region-node/verify/lists.ts'
import { readRoots } from '../../../region-node/verify/roots.ts'

/** Ids and verdicts of all that did not pass. */
export const notPassed = ({ judged }: Scorecard) =>
  judged.flatMap(({ check, verdict }) => (verdict.outcome === 'pass' ? [] : [{ id: check.id, ...verdict }]))

/** Ids of those that failed, in the card's order. */
export const failedIds = ({ judged }: Scorecard): string[] =>
  judged.flatMap(({ check, verdict }) => (verdict.outcome === 'fail' ? [check.id] : []))

export async function rootsOf(file: string): Promise<readonly RootKey[]> {
  const read = await readRoots(JSON.parse(readFileSync(file, 'utf8')))
  if (!read.ok) throw new Error(read.detail)
  return read.roots
}

/** What a donor's card leaves unjudged. */
export const paperSkipped = ['paper.issued', 'paper.verified', 'paper.lost'].map((id) => ({
  id,
  outcome: 'skipped',
  why: 'only a home issues paper, and this is a donor',
}))
