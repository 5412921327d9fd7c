// `chiyuan enrol verify`: begins a verification and watches it to its end, with a bar while it ramps.
import { setTimeout as wait } from 'node:timers/promises'
import { z } from 'zod'
import type { Answer } from './client.ts'
import type { Desk } from './command.ts'
import { outcomeText, reportAnswer, reportText } from './enrolment-text.ts'
import { CommandFailure, exitCodes } from './failure.ts'
import { noAnswerBody } from './answers.ts'
import { show } from './output.ts'
import { ProgressBar } from './progress-bar.ts'

const progress = z.object({
  kind: z.string(),
  name: z.string().optional(),
  node: z.string().nullable().optional(),
  step: z.number().optional(),
  steps: z.number().optional(),
  rps: z.number().optional(),
  check: z.object({ name: z.string(), node: z.string().nullable(), outcome: z.string() }).optional(),
})
type Progress = z.output<typeof progress>

const verificationAnswer = z.object({
  running: z.object({ startedAt: z.string(), progress: z.array(progress) }).nullable(),
  report: reportAnswer.extend({ startedAt: z.string() }).nullable(),
})
type Verification = z.output<typeof verificationAnswer>

const lookEveryMs = 250

const pathOf = (id: string): string => `/enrolments/${encodeURIComponent(id)}/verification`

/** @throws {CommandFailure} */
export async function showVerification(desk: Desk, id: string): Promise<void> {
  tell(desk, await look(desk, id))
}

/** Ends with 1 where the donor does not pass. @throws {CommandFailure} */
export async function verify(desk: Desk, id: string, reason: string): Promise<void> {
  const before = (await look(desk, id)).value.report?.startedAt
  await desk.client.send('POST', pathOf(id), { body: { reason } }, noAnswerBody)
  const stopping = new AbortController()
  const onInterrupt = (): void => stopping.abort()
  process.once('SIGINT', onInterrupt)
  try {
    const answer = await watched(desk, id, stopping.signal)
    const { report } = answer.value
    if (report === null || report.startedAt === before) throw brokenOff
    tell(desk, answer)
  } finally {
    process.off('SIGINT', onInterrupt)
  }
}

const look = (desk: Desk, id: string): Promise<Answer<Verification>> =>
  desk.client.get(pathOf(id), verificationAnswer)

const brokenOff = new CommandFailure(exitCodes.failed, {
  en: 'the verification was broken off, and says nothing of the donor',
  zh: '核验已中止，不能说明支援方状况',
})

/** Its last state, once nothing runs any longer. */
async function watched(desk: Desk, id: string, signal: AbortSignal): Promise<Answer<Verification>> {
  using bar = new ProgressBar(1)
  let told = 0
  for (;;) {
    if (signal.aborted) return stop(desk, id)
    const answer = await look(desk, id)
    const { running } = answer.value
    if (running === null) return answer
    for (const one of running.progress.slice(told)) follow(desk, bar, one)
    told = running.progress.length
    await wait(lookEveryMs, null, { signal }).catch(() => {})
  }
}

async function stop(desk: Desk, id: string): Promise<never> {
  await desk.client.send('DELETE', pathOf(id), {}, noAnswerBody)
  throw new CommandFailure(exitCodes.interrupted, brokenOff.words)
}

function follow(
  desk: Desk,
  bar: ProgressBar,
  { kind, name, node, step = 0, steps = 1, rps = 0, check }: Progress,
): void {
  if (kind === 'ramp') return bar.at(step / steps, `${Math.round(rps)} rps`)
  if (kind === 'began') return bar.at(0, `${name ?? ''} ${node ?? ''}`.trim())
  if (check === undefined) return
  bar.clear()
  process.stderr.write(`${check.name} ${check.node ?? ''}`.trim() + `: ${outcomeText(desk, check.outcome)}\n`)
}

function tell(desk: Desk, answer: Answer<Verification>): void {
  const { report, running } = answer.value
  show(desk, answer, () => {
    if (report !== null) return reportText(desk, report)
    const none =
      running === null
        ? { en: 'it was not verified yet', zh: '尚未核验' }
        : { en: 'it is being verified', zh: '正在核验' }
    return `${desk.say(none)}\n`
  })
  if (report !== null && report.verdict !== 'passed') process.exitCode = exitCodes.failed
}
