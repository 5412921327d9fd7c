// What the API answers of drills, as far as it is shown; see ../answers.ts for why it is declared here.
import { z } from 'zod'

const time = z.iso.datetime()
const msOrNull = z.number().nullable()

export const drillAnswer = z.object({
  id: z.string(),
  name: z.string(),
  reason: z.string(),
  scope: z.object({
    homes: z.array(z.string()),
    regions: z.array(z.string()),
    nodes: z.array(z.string()),
    levels: z.array(z.string()),
  }),
  fault: z.looseObject({ kind: z.string() }),
  cohort: z.number(),
  seconds: z.number(),
  objectives: z.object({
    detectMs: msOrNull,
    shiftMs: msOrNull,
    recoverMs: msOrNull,
    errorShare: msOrNull,
    addedP99Ms: msOrNull,
  }),
  stop: z.object({ errorShare: z.number(), addedP99Ms: msOrNull }),
  schedule: z.looseObject({ kind: z.string() }).nullable(),
  owner: z.string(),
  approver: z.string().nullable(),
  state: z.string(),
  createdAt: time,
  nextAt: time.nullable(),
  run: z
    .object({
      startedAt: time,
      faultAt: time,
      endsAt: time,
      endedAt: time.nullable(),
      ending: z.string().nullable(),
      detail: z.string(),
      overruled: z.array(z.string()),
    })
    .nullable(),
})
export type DrillAnswer = z.output<typeof drillAnswer>

const words = z.object({ zh: z.string(), en: z.string() })

export const drillObjection = z.object({
  name: z.string(),
  isHard: z.boolean(),
  home: z.string().nullable(),
  node: z.string().nullable(),
  found: z.number(),
  bound: z.number(),
})

export const drillForeseen = z.object({
  drill: drillAnswer,
  needsApproval: z.boolean(),
  radius: z.object({
    homes: z.array(z.string()),
    nodes: z.record(z.string(), z.array(z.string())),
    cohort: z.number(),
    trafficShare: msOrNull,
  }),
  objections: z.array(drillObjection),
  warnings: z.array(z.string()),
  words: z.record(z.string(), words),
})
export type DrillForeseen = z.output<typeof drillForeseen>

const group = z.object({
  requests: z.number(),
  errors: z.number(),
  recent: z.object({ requests: z.number(), errors: z.number(), p99Ms: msOrNull }),
})

export const drillProgress = z.object({
  name: z.string(),
  state: z.string(),
  phase: z.string(),
  now: time,
  faultAt: time.nullable(),
  endsAt: time.nullable(),
  timeline: z.record(z.string(), time),
  measured: z.object({ cohort: group, control: group }).nullable(),
})
export type DrillProgress = z.output<typeof drillProgress>

/** Of the report, what a table of several shows. */
export const drillVerdict = z.object({
  verdict: z.string(),
  run: z.object({ ending: z.string().nullable(), detail: z.string() }),
  times: z.object({ detectMs: msOrNull, shiftMs: msOrNull, recoverMs: msOrNull }),
  cohort: z.object({ underFault: z.object({ requests: z.number(), errors: z.number() }) }),
})
export type DrillVerdict = z.output<typeof drillVerdict>

export const leverAnswer = z.object({
  isSet: z.boolean(),
  owner: z.string().nullable(),
  reason: z.string().nullable(),
  setAt: time.nullable(),
})
export type LeverAnswer = z.output<typeof leverAnswer>

export const pathOf = (id: string): string => `/drills/${encodeURIComponent(id)}`
