// Drills and what came of them, as they stand in the registry. Only leases are part of a snapshot.
import { z } from 'zod'
import { type Drill, drillEndings, type DrillRun, drillStates } from '../../model/drill.ts'
import { firstOverlap } from '../../policy/drill-schedule.ts'
import { expected } from '../intent/expected.ts'
import { faultSchema, faultScopeShape, regionField } from '../intent/drills.ts'

export const drillPrefix = 'drills/'
export const drillReportPrefix = 'drill-reports/'

/** Longest fault, seconds. */
export const longestDrillSeconds = 3600
/** Each home has a lease of its own, and all are written in one commit. */
export const homesAtMost = 20

const time = z.number().int().positive()
/** 1 January 2100. */
const latestAt = 4_102_444_800_000
const aDate = expected('whole milliseconds since 1970, before the year 2100')
const aShare = expected('a share from 0 to 1')
const share = z.number(aShare).min(0, aShare).max(1, aShare)
const millisecondsAtMost = longestDrillSeconds * 1000
const aTime = expected(`milliseconds, 0 to ${millisecondsAtMost}, or null for nothing promised`)
const orNull = z.number(aTime).min(0, aTime).max(millisecondsAtMost, aTime).nullable()
const aLength = expected(`whole seconds, 1 to ${longestDrillSeconds}`)
const aCohort = expected('a share of residents above 0, at most 1')
const person = z.strictObject({ id: z.string().min(1).max(200), name: z.string().min(1).max(200) })
const aMinute = expected('a minute of the day, 0 to 1440')
const minute = z.number(aMinute).int(aMinute).min(0, aMinute).max(1440, aMinute)
const aWeekday = expected('0 for Sunday to 6 for Saturday')

const scheduleSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('once'),
    at: z.number(aDate).int(aDate).positive(aDate).max(latestAt, aDate),
  }),
  z.strictObject({
    kind: z.literal('weekly'),
    windows: z
      .array(
        z
          .strictObject({
            weekday: z.number(aWeekday).int(aWeekday).min(0, aWeekday).max(6, aWeekday),
            from: minute,
            to: minute,
          })
          .refine(({ from, to }) => to > from, expected('`to` after `from`, on the same day')),
      )
      .min(1, 'at least one window')
      .max(50)
      .superRefine((windows, context) => {
        const [a, b] = firstOverlap(windows) ?? []
        if (a !== undefined && b !== undefined) {
          context.addIssue(
            `windows must not overlap; of weekday ${a.weekday}, ${a.from}–${a.to} and ${b.from}–${b.to} do`,
          )
        }
      }),
    blocked: z.array(z.iso.date(expected('a date such as 2027-01-01'))).max(400),
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
  cohort: z.number(aCohort).gt(0, aCohort).max(1, aCohort),
  seconds: z.number(aLength).int(aLength).min(1, aLength).max(longestDrillSeconds, aLength),
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
