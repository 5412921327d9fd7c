// `chiyuan drill compare`: two drills beside each other, and what of it is more than noise.
import type { Command } from 'commander'
import { z } from 'zod'
import { comparisonTables, judgementText } from '../../../policy/drill-comparison-tables.ts'
import type { Lang, Table } from '../../../policy/drill-report-tables.ts'
import { oneLine, table } from '../../table.ts'
import { type CommonFlags, type Desk, operatorsCommand, withCommonOptions, withGateway } from '../command.ts'
import { localTime, show, type Tone, toned } from '../output.ts'
import { withQuery } from '../pages.ts'

const orNull = z.number().nullable()
const run = z.object({
  drill: z.string(),
  name: z.string(),
  startedAt: z.number(),
  verdict: z.string(),
  requests: z.number(),
})
const measured = {
  before: orNull,
  after: orNull,
  delta: orNull,
  tolerance: orNull,
  judgement: z.string(),
}
const comparisonAnswer = z.object({
  before: run,
  after: run,
  isComparable: z.boolean(),
  differences: z.array(
    z.object({ name: z.string(), effect: z.string(), before: z.string(), after: z.string() }),
  ),
  verdict: z.string(),
  counts: z.record(z.string(), z.number()),
  figures: z.array(z.object({ name: z.string(), ...measured })),
  levels: z.array(z.object({ level: z.string(), ...measured })),
  donors: z.array(z.object({ region: z.string(), ...measured })),
  objectives: z.array(
    z.object({
      objective: z.string(),
      boundBefore: orNull,
      boundAfter: orNull,
      measuredBefore: orNull,
      measuredAfter: orNull,
      metBefore: z.boolean().nullable(),
      metAfter: z.boolean().nullable(),
      judgement: z.string(),
    }),
  ),
})
type Comparison = z.output<typeof comparisonAnswer>

export function compareCommand(): Command {
  const examples = `  chiyuan drill compare 1f0c… 9a2b…            # the earlier one first 先旧后新
  chiyuan drill compare 1f0c… 9a2b… --json | jq '.figures[] | select(.judgement == "worse")'`
  const command = operatorsCommand(
    'compare',
    'two drills beside each other: what is better, what is worse, what is noise 对比两次演练',
    examples,
  )
    .argument('<before>', 'id of the earlier drill 之前的演练')
    .argument('<after>', 'id of the later drill 之后的演练')
  return withCommonOptions(command).action((before: string, after: string, flags: CommonFlags) =>
    withGateway(flags, async (desk) => {
      const path = withQuery('/drill-comparison', { before, after })
      const answer = await desk.client.get(path, comparisonAnswer)
      show(desk, answer, () => comparisonText(desk, answer.value))
    }),
  )
}

const tones: Readonly<Record<string, Tone>> = {
  better: 'good',
  worse: 'bad',
  changed: 'careful',
  unknown: 'dim',
}

function comparisonText(desk: Desk, comparison: Comparison): string {
  const lang: Lang = desk.language === 'en' ? 'en' : 'zh'
  const at = (wallMs: number): string => localTime(new Date(wallMs).toISOString())
  const { verdict, tables } = comparisonTables(comparison, lang, at)
  const summary = oneLine(verdict)
  return `${comparison.isComparable ? summary : toned('careful', summary)}\n${tables.map((one) => tableText(one, lang)).join('')}`
}

function tableText({ title, head, rows }: Table, lang: Lang): string {
  const [first = '', ...lines] = table(head, rows).trimEnd().split('\n')
  return `\n${oneLine(title)}\n${[first, ...lines.map((line) => coloured(line, lang))].join('\n')}\n`
}

/** The judgement at the end of a row: words say it, colour only helps to find it. */
function coloured(line: string, lang: Lang): string {
  for (const [judgement, tone] of Object.entries(tones)) {
    const text = judgementText(judgement, lang)
    if (line.endsWith(` ${text}`)) return line.slice(0, -text.length) + toned(tone, text)
  }
  return line
}
