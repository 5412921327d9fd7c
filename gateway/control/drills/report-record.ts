// A drill's report, as it stands in the registry and goes over the wire.
import { z } from 'zod'
import { drillEndings } from '../../model/drill.ts'
import { moments } from '../../policy/drill-measure.ts'
import { foundBy, staysClosedFor } from '../../policy/drill-own-trips.ts'
import { type DrillReport, verdicts } from '../../policy/drill-report.ts'
import { guardParts } from '../../policy/drill-report-guards.ts'
import { faultSchema, faultScopeShape, nodeField, regionField } from '../intent/drills.ts'

const number = z.number()
const orNull = number.nullable()
const person = z.object({ id: z.string(), name: z.string() })

const point = z.object({ requests: number, errors: number, meanMs: orNull, maxMs: orNull })

const summary = z.object({
  requests: number,
  errors: number,
  retries: number,
  hedges: number,
  coalesced: number,
  lastGood: number,
  shed: number,
  underFault: z.object({
    requests: number,
    errors: number,
    errorShare: number,
    p50Ms: orNull,
    p95Ms: orNull,
    p99Ms: orNull,
  }),
  byLevel: z.array(z.object({ level: z.string(), requests: number })),
})

export const drillReportSchema: z.ZodType<DrillReport> = z.object({
  drill: z.string(),
  name: z.string(),
  reason: z.string(),
  owner: person,
  approver: person.nullable(),
  scope: z.object({ homes: z.array(regionField), ...faultScopeShape }),
  fault: faultSchema,
  cohortShare: number,
  seconds: number,
  run: z.object({
    startedAt: number,
    faultAt: number,
    endsAt: number,
    overruled: z.array(z.string()),
    endedAt: orNull,
    ending: z.enum(drillEndings).nullable(),
    detail: z.string(),
  }),
  gateways: z
    .array(
      z.object({
        gateway: z.string(),
        from: number,
        to: number,
        missing: z.array(z.object({ from: number, to: number })),
      }),
    )
    .default([])
    .describe('Who measured it, by the names in their data folders; `missing`: when one was gone.'),
  verdict: z.enum(verdicts),
  timeline: z
    .partialRecord(z.enum(moments), number)
    .describe('`shifted`: steady elsewhere; `recovered`: steady at home.'),
  times: z.object({ detectMs: orNull, firstElsewhereMs: orNull, shiftMs: orNull, recoverMs: orNull }),
  objectives: z.array(
    z.object({
      objective: z.enum(['detectMs', 'shiftMs', 'recoverMs', 'errorShare', 'addedP99Ms']),
      bound: number,
      measured: orNull,
      met: z.boolean(),
    }),
  ),
  cohort: summary,
  control: summary,
  series: z.array(z.object({ second: number, cohort: point, control: point })),
  donors: z.array(z.object({ region: regionField, peakRps: number, peakUse: orNull })),
  events: z.array(z.object({ at: number, node: nodeField, what: z.string(), real: z.boolean() })),
  wouldHaveTripped: z
    .array(
      z.object({
        node: nodeField,
        at: orNull.describe('When it was, or would have been, found out with nobody’s hand on it.'),
        by: z.enum(foundBy).nullable(),
        answers: number,
        failures: number,
        reason: z.enum(staysClosedFor).nullable().describe('Why it would not have been.'),
      }),
    )
    .default([]),
  guards: z
    .array(z.object({ guard: z.string(), did: z.enum(guardParts), detail: z.string() }))
    .default([])
    .describe('Those that were overruled to begin it, and what ended it before its time.'),
  audit: z
    .array(
      z.object({
        seq: z.int(),
        at: number,
        action: z.string(),
        by: z.string().nullable(),
        outcome: z.enum(['done', 'refused', 'failed']),
      }),
    )
    .default([])
    .describe('Records of the audit log that are about it.'),
})
