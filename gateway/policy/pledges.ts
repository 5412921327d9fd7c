// What donors pledge to others' residents in all, as what can be divided.
import type { RegionId } from '../model/ids.ts'
import { pledgeName } from '../model/quota-shares.ts'
import type { Lending } from '../model/region.ts'

export interface Pledge {
  /** 0 or more. */
  readonly amount: number
  /** It can't be cut: requests open at once, not a rate. */
  readonly whole: boolean
}
/** By the pledge's name. */
export type Pledges = Readonly<Record<string, Pledge>>

/** What each donor lends to others' residents in all. What is not bounded and what is not lent need no dividing. */
export function pledgesOf(lending: ReadonlyMap<RegionId, Lending>): Record<string, Pledge> {
  const pledges: Record<string, Pledge> = {}
  for (const [code, { limitRps, limitConcurrent }] of lending) {
    if (isBound(limitRps)) pledges[pledgeName(code, 'rps')] = { amount: limitRps, whole: false }
    if (isBound(limitConcurrent)) pledges[pledgeName(code, 'open')] = { amount: limitConcurrent, whole: true }
  }
  return pledges
}

const isBound = (amount: number): boolean => amount > 0 && amount !== Infinity
