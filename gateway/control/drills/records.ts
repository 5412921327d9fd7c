// Drills and what came of them, as they stand in the registry. Only leases are part of a snapshot.
import { z } from 'zod'
import { type Drill, drillEndings, type DrillRun, drillStates } from '../../model/drill.ts'
import { overlapping } from '../../policy/drill-schedule.ts'
import { faultSchema, faultScopeShape, regionField } from '../intent/drills.ts'

export const drillPrefix = 'drills/'
export const drillReportPrefix = 'drill-reports/'

/** Longest fault, seconds. */
export const longestDrillSeconds = 3600
/** Each home has a lease of its own, and all are written in one commit. */
export const homesAtMost = 20

const time = z.number().int().positive()
const share = z.number().min(0).max(1)
const orNull = z
  .number()
  .min(0)
  .max(longestDrillSeconds * 1000)
  .nullable()
const person = z.strictObject({ id: z.string().min(1).max(200), name: z.string().min(1).max(200) })
const minute = z.number().int().min(0).max(1440)

const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('once'), at: time }),
  z.strictObject({
    kind: z.literal('weekly'),
    windows: z
      .array(
        z
          .strictObject({ weekday: z.number().int().min(0).max(6), from: minute, to: minute })
          .refine(({ from, to }) => to > from, 'a window ends after it begins, on the same day'),
      )
      .min(1, 'at least one window')
      .max(50)
      .refine((windows) => !overlapping(windows), 'windows must not overlap'),
    blocked: z.array(z.iso.date()).max(400),
  }),
])

export const planShape = {
  name: z.string().trim().min(1).max(100),
  reason: z.string().trim().min(1, 'say why, in a few words').max(2000),
  scope: z.strictObject({
    homes: z
      .array(regionField)
      .min(1, 'name the home regions whose residents take part')
      .max(homesAtMost)
      .refine((homes) => new Set(homes).size === homes.length, 'name each home once'),
    ...faultScopeShape,
  }),
  fault: faultSchema,
  cohort: share.refine((value) => value > 0, 'above 0 to 1'),
  seconds: z.number().int().min(1, 'at least one second').max(longestDrillSeconds),
  objectives: z.strictObject({
    detectMs: orNull,
    shiftMs: orNull,
    recoverMs: orNull,
    errorShare: share.nullable(),
    addedP99Ms: orNull,
  }),
  stop: z.strictObject({ errorShare: share, addedP99Ms: orNull }),
  schedule: scheduleSchema.nullable(),
}

export const runShape = {
  startedAt: time,
  faultAt: time,
  endsAt: time,
  overruled: z.array(z.string().max(64)).max(100),
  endedAt: time.nullable(),
  ending: z.enum(drillEndings).nullable(),
  detail: z.string().max(500),
}
const runSchema: z.ZodType<DrillRun> = z.strictObject(runShape)

export const drillSchema: z.ZodType<Drill> = z.strictObject({
  ...planShape,
  id: z.string().min(1).max(64),
  owner: person,
  state: z.enum(drillStates),
  createdAt: time,
  approver: person.nullable(),
  changedAt: time,
  nextAt: time.nullable(),
  run: runSchema.nullable(),
})
