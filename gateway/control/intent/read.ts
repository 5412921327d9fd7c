// Everything that operators have decided and the data plane acts upon, read from the registry's records.
import type { z } from 'zod'
import type { DrillLease } from '../../model/drill.ts'
import type { Enrolment } from '../../model/enrolment.ts'
import type { Hold } from '../../model/hold.ts'
import type { Mode } from '../../model/mode.ts'
import type { RegistryRecord } from '../registry/port.ts'
import {
  type DrillLever,
  drillLeasePrefix,
  drillLeaseSchema,
  drillLeverKey,
  drillLeverSchema,
} from './drills.ts'
import { enrolmentPrefix, enrolmentSchema } from './enrolments.ts'
import { holdPrefix, holdSchema } from './holds.ts'
import { modeKey, modeSchema } from './mode.ts'

/** All keys that a snapshot is made of. */
export const intentPrefix = 'intent/'

export interface Intent {
  /** Those whose lease has not ended. */
  readonly holds: readonly Hold[]
  /** In every state; when they have an effect, `withEnrolments` says. */
  readonly enrolments: readonly Enrolment[]
  /** `null`: the configuration file's. */
  readonly mode: Mode | null
  /** Drills that are on, one lease for each home; none while the lever is set. */
  readonly drills: readonly DrillLease[]
  /** Who stopped all drills, and bars new ones. */
  readonly drillLever: DrillLever | null
  /** Wall-clock milliseconds at which it is to be read again, because a lease ends; `null` for never. */
  readonly nextChangeAt: number | null
  /** Keys of records that are of no use. */
  readonly unreadable: readonly string[]
}

export const noIntent: Intent = {
  holds: [],
  enrolments: [],
  mode: null,
  drills: [],
  drillLever: null,
  nextChangeAt: null,
  unreadable: [],
}

/** @param wallMs Wall-clock milliseconds since 1970. */
export function readIntent(records: readonly RegistryRecord[], wallMs: number): Intent {
  const unreadable: string[] = []
  const holds: Hold[] = []
  const enrolments: Enrolment[] = []
  const leases: DrillLease[] = []
  let mode: Mode | null = null
  let drillLever: DrillLever | null = null
  const read = <T>(schema: z.ZodType<T>, { key, value }: RegistryRecord, use: (read: T) => void): void => {
    const parsed = schema.safeParse(value)
    if (parsed.success) use(parsed.data)
    else unreadable.push(key)
  }
  for (const record of records) {
    if (record.key.startsWith(holdPrefix)) {
      read(holdSchema, record, (hold) => {
        if (hold.expiresAt > wallMs) holds.push(hold)
      })
    } else if (record.key.startsWith(drillLeasePrefix)) {
      read(drillLeaseSchema, record, (lease) => {
        if (Math.min(lease.expiresAt, lease.endsAt) > wallMs) leases.push(lease)
      })
    } else if (record.key === drillLeverKey) {
      read(drillLeverSchema, record, (lever) => {
        drillLever = lever
      })
    } else if (record.key === modeKey) {
      read(modeSchema, record, (setting) => {
        mode = setting.mode
      })
    } else if (record.key.startsWith(enrolmentPrefix)) {
      read(enrolmentSchema, record, (enrolment) => enrolments.push(enrolment))
    } else unreadable.push(record.key)
  }
  const drills = drillLever === null ? leases : []
  const ends = [
    ...holds.map(({ expiresAt }) => expiresAt),
    ...drills.map(({ expiresAt, endsAt }) => Math.min(expiresAt, endsAt)),
  ]
  // Whoever plays that the registry is lost notices that at once, as a reader who is cut off would.
  const losses = drills.filter(({ fault, faultAt }) => fault.kind === 'registry-loss' && faultAt > wallMs)
  ends.push(...losses.map(({ faultAt }) => faultAt))
  const nextChangeAt = ends.length === 0 ? null : Math.min(...ends)
  return { holds, enrolments, mode, drills, drillLever, nextChangeAt, unreadable }
}
