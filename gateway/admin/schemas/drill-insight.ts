// Drills compared, and what regions have proven by them, as they go over the wire.
import { z } from 'zod'
import { type DrillComparison, figureNames, judgements } from '../../policy/drill-comparison.ts'
import { differenceNames } from '../../policy/drill-differences.ts'
import { verdicts } from '../../policy/drill-report.ts'
import {
  faultKinds,
  readinessGrades,
  type RegionScore,
  staleAfterDays,
  type Tested,
} from '../../policy/drill-scoreboard.ts'
import { pageQuery } from '../paging.ts'
import { timeText } from '../plane.ts'
import { levelNameSchema, nodeIdSchema, regionIdSchema, wordsSchema } from './vocabulary.ts'

const orNull = z.number().nullable()
const count = z.int().min(0)
const judgement = z.enum(judgements)
const verdict = z.enum(verdicts)
const drillId = z.string().min(1).max(64)

export const comparisonQuery = z.strictObject({
  before: drillId.describe('Id of the drill to compare with.'),
  after: drillId.describe('Id of the drill that is compared.'),
  format: z.enum(['json', 'markdown']).default('json'),
  lang: z.enum(['zh', 'en']).default('zh').describe('Language of what a person reads.'),
})

const run = z.object({
  drill: drillId,
  name: z.string(),
  startedAt: z.number().describe('Wall-clock milliseconds since 1970.'),
  verdict,
  requests: count.describe('Of the cohort, while the fault was on.'),
})

const measured = {
  before: orNull,
  after: orNull,
  delta: orNull.describe('`after` less `before`.'),
  tolerance: orNull.describe('A difference up to it is none.'),
  judgement,
}

export const comparisonAnswer: z.ZodType<DrillComparison> = z
  .object({
    before: run,
    after: run,
    isComparable: z
      .boolean()
      .describe('False where a difference `breaks` it: then every judgement is `unknown`.'),
    differences: z.array(
      z.object({
        name: z.enum(differenceNames),
        effect: z.enum(['breaks', 'shades']),
        before: z.string(),
        after: z.string(),
      }),
    ),
    verdict: judgement.describe('Of `passed` and `failed`; other verdicts prove nothing either way.'),
    counts: z.record(judgement, count).describe('How many figures came out how.'),
    figures: z
      .array(z.object({ name: z.enum(figureNames), ...measured }))
      .describe('Of the cohort; less of each is better. Times in ms, shares from 0 to 1.'),
    levels: z
      .array(z.object({ level: z.string(), ...measured }))
      .describe('Share of the cohort’s requests that each level answered.'),
    donors: z
      .array(z.object({ region: regionIdSchema, rpsBefore: orNull, rpsAfter: orNull, ...measured }))
      .describe('Peak use of each region that helped, 0 to 1.'),
    objectives: z.array(
      z.object({
        objective: z.enum(['detectMs', 'shiftMs', 'recoverMs', 'errorShare', 'addedP99Ms']),
        boundBefore: orNull,
        boundAfter: orNull,
        measuredBefore: orNull,
        measuredAfter: orNull,
        metBefore: z.boolean().nullable(),
        metAfter: z.boolean().nullable(),
        judgement,
      }),
    ),
  })
  .meta({ id: 'DrillComparison' })

export const scoreboardQuery = pageQuery.extend({
  region: regionIdSchema.optional().describe('Only this home region.'),
  staleAfterDays: z.coerce
    .number()
    .int()
    .min(1)
    .max(3650)
    .default(staleAfterDays)
    .describe('A pass is good for so many days.'),
})

const tested = z
  .object({
    drill: drillId,
    at: z.iso.datetime().describe('When it ended.'),
    ageDays: count,
    verdict,
  })
  .meta({ id: 'DrillTested' })

const grade = z.enum(readinessGrades)

export const scoreAnswer = z
  .object({
    region: regionIdSchema,
    name: wordsSchema,
    grade: grade.describe('The worst of the faults that were tested; `never` where none was.'),
    words: wordsSchema,
    last: tested.nullable().describe('The last drill of any fault.'),
    untested: z.array(z.enum(faultKinds)).describe('Faults that no drill has shown anything of.'),
    faults: z.array(
      z.object({
        fault: z.enum(faultKinds),
        grade,
        last: tested.nullable().describe('The last that ran, whether it shows anything or not.'),
        lastPassed: tested.nullable(),
      }),
    ),
    levels: z
      .array(
        z.object({
          level: levelNameSchema,
          region: regionIdSchema,
          lastPassed: tested
            .nullable()
            .describe('The last passed drill whose fault lay upon all nodes that the level has today.'),
          nodes: z.array(z.object({ node: nodeIdSchema, lastPassed: tested.nullable() })),
        }),
      )
      .describe('Who may answer for its residents, nearest first.'),
  })
  .meta({ id: 'DrillScore' })

export const toScoreAnswer = (score: RegionScore): z.output<typeof scoreAnswer> => ({
  ...score,
  last: toTested(score.last),
  untested: [...score.untested],
  faults: score.faults.map((one) => ({
    ...one,
    last: toTested(one.last),
    lastPassed: toTested(one.lastPassed),
  })),
  levels: score.levels.map((level) => ({
    ...level,
    lastPassed: toTested(level.lastPassed),
    nodes: level.nodes.map(({ node, lastPassed }) => ({ node, lastPassed: toTested(lastPassed) })),
  })),
})

const toTested = (one: Tested | null): z.output<typeof tested> | null =>
  one === null ? null : { ...one, at: timeText(one.at) }
