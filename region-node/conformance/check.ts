// What a check is: data about it, and a function from the facts of a run to a verdict.
import type { ConformanceClient } from './client.ts'
import type { Issued } from './issued.ts'
import type { TrustHeld } from './trust-held.ts'
import type { Burst } from './burst.ts'

export const AREAS = [
  'health',
  'load',
  'codes',
  'freshness',
  'verification',
  'errors',
  'idempotency',
  'paper',
  'overload',
  'leaks',
] as const
export type Area = (typeof AREAS)[number]

/** Chinese, English. */
export type Words = readonly [zh: string, en: string]

export type Verdict =
  | { readonly outcome: 'pass' }
  /** `came` is evidence and never holds a token, an id or a code. */
  | { readonly outcome: 'fail'; readonly expected: string; readonly came: string; readonly todo: Words }
  | { readonly outcome: 'skipped'; readonly why: string }

export interface Facts {
  readonly home: string
  /** A region that the node must not serve. */
  readonly otherHome: string
  /** Synthetic residents of `home`, at least one. */
  readonly residents: readonly [string, ...string[]]
  /** One that this node signed and that has run out; nobody else can make one. */
  readonly expiredCode?: string | undefined
  /** Whether it may hand in registrations and test results. */
  readonly write: boolean
  /** Whether it may fill the node. */
  readonly overload: boolean
  /** Unix milliseconds. */
  readonly clock: () => number
  readonly trust: TrustHeld
  /** Two codes of the first resident; asked for once. */
  readonly issued: () => Promise<Issued>
  /** The node while it is full; done once. */
  readonly burst: () => Promise<Burst>
}

export interface Check {
  /** `<area>.<name>`: stable, so that cards of two vendors compare. */
  readonly id: `${Area}.${string}`
  /** A node that fails a `must` does not conform. */
  readonly level: 'must' | 'should'
  readonly title: Words
  /** @throws {NoAnswer} The node gave none; the runner makes that a failure. */
  readonly judge: (client: ConformanceClient, facts: Facts) => Promise<Verdict>
}

export const areaOf = ({ id }: Pick<Check, 'id'>): Area =>
  AREAS.find((area) => id.startsWith(`${area}.`)) ?? 'errors'

export const pass: Verdict = { outcome: 'pass' }
export const skip = (why: string): Verdict => ({ outcome: 'skipped', why })
export const fail = (expected: string, came: string, todo: Words): Verdict => ({
  outcome: 'fail',
  expected,
  came,
  todo,
})

/** A code that can't be judged, since another check's subject is broken. */
export const needs = (id: Check['id']): Verdict => skip(`needs ${id}, which failed`)
