// Drills as they go over the wire.
import { z } from 'zod'
import { type DrillLever, faultScopeShape } from '../../control/intent/drills.ts'
import { planShape, runShape } from '../../control/drills/records.ts'
import { type Drill, drillStates } from '../../model/drill.ts'
import { type DrillStepKind, drillStepKinds } from '../../policy/drill.ts'
import { drillObjections, planWarningNames } from '../../policy/drill-guards.ts'
import { pageQuery } from '../paging.ts'
import { timeText } from '../plane.ts'
import { previewSchema } from './forecast.ts'
import { reasonField } from './holds.ts'
import { nodeIdSchema, regionIdSchema, wordsSchema } from './vocabulary.ts'

const { scope, objectives, stop, schedule, ...rest } = planShape
const { homes } = scope.shape
const { detectMs, shiftMs, recoverMs, errorShare, addedP99Ms } = objectives.shape

export const newDrill = z
  .strictObject({
    ...rest,
    scope: z
      .strictObject({
        homes: homes.describe('Home regions whose residents take part.'),
        regions: faultScopeShape.regions.default([]),
        nodes: faultScopeShape.nodes.default([]),
        levels: faultScopeShape.levels.default([]),
      })
      .describe('The nodes that meet the fault: any of the homes’ levels that one of the lists names.'),
    objectives: z
      .strictObject({
        detectMs: detectMs.default(null),
        shiftMs: shiftMs.default(null),
        recoverMs: recoverMs.default(null),
        errorShare: errorShare.default(null),
        addedP99Ms: addedP99Ms.default(null),
      })
      .prefault({}),
    stop: z
      .strictObject({
        errorShare: stop.shape.errorShare.default(0.05),
        addedP99Ms: stop.shape.addedP99Ms.default(null),
      })
      .prefault({})
      .describe('Ends it at once: what residents see beyond the control, over the last ten seconds.'),
    schedule: schedule.default(null),
  })
  .refine(
    ({ scope: { regions, nodes, levels }, fault }) =>
      fault.kind === 'registry-loss' || regions.length + nodes.length + levels.length > 0,
    {
      path: ['scope'],
      message: 'name the regions, nodes or levels that the fault is put upon; found none of them',
    },
  )

const time = z.iso.datetime()

export const drillAnswer = z
  .object({
    ...planShape,
    id: z.string(),
    owner: z.string(),
    approver: z.string().nullable().describe('Who approved or refused it.'),
    state: z.enum(drillStates),
    createdAt: time,
    changedAt: time,
    nextAt: time.nullable().describe('When it begins by its schedule.'),
    run: z
      .object({
        startedAt: time,
        faultAt: time,
        endsAt: time,
        overruled: runShape.overruled.describe('Guards that objected and were overruled.'),
        endedAt: time.nullable(),
        ending: runShape.ending,
        detail: z.string(),
      })
      .nullable(),
    version: z.int().describe('The ETag, without its quotes.'),
  })
  .meta({ id: 'Drill' })

export const toDrillAnswer = (drill: Drill, version: number): z.output<typeof drillAnswer> => ({
  ...drill,
  scope: copied(drill.scope),
  schedule: copiedSchedule(drill.schedule),
  owner: drill.owner.name,
  approver: drill.approver?.name ?? null,
  createdAt: timeText(drill.createdAt),
  changedAt: timeText(drill.changedAt),
  nextAt: orNull(drill.nextAt),
  run:
    drill.run === null
      ? null
      : {
          startedAt: timeText(drill.run.startedAt),
          faultAt: timeText(drill.run.faultAt),
          endsAt: timeText(drill.run.endsAt),
          overruled: [...drill.run.overruled],
          endedAt: orNull(drill.run.endedAt),
          ending: drill.run.ending,
          detail: drill.run.detail,
        },
  version,
})

const orNull = (wallMs: number | null): string | null => (wallMs === null ? null : timeText(wallMs))

const copied = ({ homes: of, regions, nodes, levels }: Drill['scope']) => ({
  homes: [...of],
  regions: [...regions],
  nodes: [...nodes],
  levels: [...levels],
})

const copiedSchedule = (of: Drill['schedule']) =>
  of === null || of.kind === 'once'
    ? of
    : { kind: of.kind, windows: [...of.windows], blocked: [...of.blocked] }

const objection = z.object({
  name: z.enum(drillObjections),
  isHard: z.boolean().describe('Nobody may overrule it.'),
  home: regionIdSchema.nullable(),
  node: nodeIdSchema.nullable(),
  found: z.number(),
  bound: z.number(),
})

export const drillForeseen = z
  .object({
    drill: drillAnswer,
    needsApproval: z.boolean().describe('Another person’s approval is wanted before it begins.'),
    radius: z.object({
      homes: z.array(regionIdSchema),
      nodes: z.record(z.string(), z.array(nodeIdSchema)),
      cohort: z.number(),
      trafficShare: z.number().nullable().describe('Share of all requests; `null`: there are none.'),
    }),
    objections: z.array(objection).describe('What speaks against beginning now.'),
    warnings: z
      .array(z.enum(planWarningNames))
      .describe(
        'Objectives that can’t be met, faults that change nothing, and what the preview assumes of the fault.',
      ),
    words: z.record(z.string(), wordsSchema).describe('What objections and warnings mean.'),
    preview: previewSchema,
  })
  .meta({ id: 'DrillForeseen' })

export const drillsQuery = pageQuery.extend({
  home: regionIdSchema.optional().describe('Only drills of this home.'),
  state: z.enum(drillStates).optional(),
})

export const stepAsked = z.strictObject({ reason: reasonField })
export const startAsked = stepAsked.extend({
  override: z.boolean().default(false).describe('Begin although a guard objects; the reason says why.'),
})

export const leverAnswer = z
  .object({
    isSet: z.boolean(),
    owner: z.string().nullable(),
    reason: z.string().nullable(),
    setAt: time.nullable(),
    version: z.int().describe('The ETag, without its quotes.'),
  })
  .meta({ id: 'DrillLever' })

export const toLeverAnswer = (lever: DrillLever | null, version: number): z.output<typeof leverAnswer> => ({
  isSet: lever !== null,
  owner: lever?.owner ?? null,
  reason: lever?.reason ?? null,
  setAt: lever === null ? null : timeText(lever.setAt),
  version,
})

export const legalText = (legal: readonly DrillStepKind[]): string =>
  legal.length === 0
    ? 'it is over'
    : `what may follow is: ${drillStepKinds.filter((kind) => legal.includes(kind)).join(', ')}`
