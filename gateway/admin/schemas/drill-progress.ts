// A drill that is on, as whoever watches it sees it.
import { z } from 'zod'
import { type Drill, drillStates } from '../../model/drill.ts'
import { type DrillMeasures, moments } from '../../policy/drill-measure.ts'
import { timeText } from '../plane.ts'

/** As a person follows it: a drill of the registry, where `DrillPhase` is of one process's part in it. */
const stages = ['waiting', 'prelude', 'fault', 'restoring', 'over'] as const

const time = z.iso.datetime()

const group = z.object({
  requests: z.int().describe('Since the drill began.'),
  errors: z.int().describe('Those of them that residents saw fail.'),
  recent: z
    .object({ requests: z.int(), errors: z.int(), p99Ms: z.number().nullable() })
    .describe('Of the last ten seconds.'),
})

export const drillProgress = z
  .object({
    drill: z.string(),
    name: z.string(),
    state: z.enum(drillStates),
    phase: z
      .enum(stages)
      .describe(
        '`prelude`: measured, without a fault yet. `restoring`: the fault is off, residents come back.',
      ),
    now: time,
    faultAt: time.nullable(),
    endsAt: time.nullable(),
    timeline: z.partialRecord(z.enum(moments), time).describe('Moments that have come; see the report.'),
    measured: z
      .object({ cohort: group, control: group })
      .nullable()
      .describe('`null` where nothing has been measured yet, or nobody has it any more.'),
  })
  .meta({ id: 'DrillProgress' })

export function progressOf(
  drill: Drill,
  measures: DrillMeasures | null,
  now: number,
): z.output<typeof drillProgress> {
  const { run } = drill
  const timeline = Object.fromEntries(
    Object.entries(measures?.timeline ?? {}).map(([moment, at]) => [moment, timeText(at)]),
  )
  return {
    drill: drill.id,
    name: drill.name,
    state: drill.state,
    phase: phaseOf(drill, now),
    now: timeText(now),
    faultAt: run === null ? null : timeText(run.faultAt),
    endsAt: run === null ? null : timeText(run.endsAt),
    timeline,
    measured:
      measures === null ? null : { cohort: part(measures, 'cohort'), control: part(measures, 'control') },
  }
}

function phaseOf({ state, run }: Drill, now: number): (typeof stages)[number] {
  if (state === 'restoring') return 'restoring'
  if (state === 'reported' || state === 'aborted' || state === 'refused') return 'over'
  if (state !== 'running' || run === null) return 'waiting'
  return now < run.faultAt ? 'prelude' : 'fault'
}

function part(measures: DrillMeasures, of: 'cohort' | 'control') {
  const { requests, errors } = measures[of]
  return { requests, errors, recent: { ...measures.recent[of] } }
}
