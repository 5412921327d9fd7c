// Everything that operators have decided and the data plane acts upon, read from the registry's records.
import type { z } from 'zod'
import type { Enrolment } from '../../model/enrolment.ts'
import type { Hold } from '../../model/hold.ts'
import type { Mode } from '../../model/mode.ts'
import type { RegistryRecord } from '../registry/port.ts'
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
  /** Wall-clock milliseconds at which it is to be read again, because a lease ends; `null` for never. */
  readonly nextChangeAt: number | null
  /** Keys of records that are of no use. */
  readonly unreadable: readonly string[]
}

export const noIntent: Intent = {
  holds: [],
  enrolments: [],
  mode: null,
  nextChangeAt: null,
  unreadable: [],
}

/** @param wallMs Wall-clock milliseconds since 1970. */
export function readIntent(records: readonly RegistryRecord[], wallMs: number): Intent {
  const unreadable: string[] = []
  const holds: Hold[] = []
  const enrolments: Enrolment[] = []
  let mode: Mode | null = null
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
    } else if (record.key === modeKey) {
      read(modeSchema, record, (setting) => {
        mode = setting.mode
      })
    } else if (record.key.startsWith(enrolmentPrefix)) {
      read(enrolmentSchema, record, (enrolment) => enrolments.push(enrolment))
    } else unreadable.push(record.key)
  }
  const ends = holds.map(({ expiresAt }) => expiresAt)
  return { holds, enrolments, mode, nextChangeAt: ends.length === 0 ? null : Math.min(...ends), unreadable }
}
