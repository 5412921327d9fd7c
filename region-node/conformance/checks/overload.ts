// What a full node does: says so at once, goes on answering probers, and is well again afterwards. Only with --overload.
import type { Burst } from '../burst.ts'
import type { Check, Verdict } from '../check.ts'
import { fail, pass, skip } from '../check.ts'
import type { Answer } from '../client.ts'
import { NoAnswer } from '../client.ts'

/** A refusal is of use only while there is still time to ask another node. */
const QUICK_MS = 2_000

type Done = Extract<Burst, { done: true }>

const full =
  (judge: (burst: Done) => Verdict): Check['judge'] =>
  async (_client, facts) => {
    if (!facts.overload) return skip('it fills the node; run again with --overload against a test system')
    const burst = await facts.burst()
    return burst.done ? judge(burst) : skip(burst.why)
  }

export const overloadChecks: readonly Check[] = [
  {
    id: 'overload.refuses',
    level: 'must',
    title: [
      '满载时每个请求或正常应答，或 503 加 Retry-After',
      'when full: a good answer, or 503 with Retry-After',
    ],
    judge: full(({ answers }) => {
      const bad = answers.filter((answer) => !isGoodOrRefused(answer))
      if (bad.length === 0) return pass
      const [worst] = bad
      return fail(
        'each answered by 200, or 503 with Retry-After of whole seconds',
        `${bad.length} of ${answers.length} not so; one of them: ${shown(worst)}`,
        [
          '达到所申报上限即刻返回 503 与 Retry-After，不得断开连接',
          'refuse at the declared limit by 503 with Retry-After; never by closing the connection',
        ],
      )
    }),
  },
  {
    id: 'overload.quick',
    level: 'must',
    title: ['满载时 503 应答迅速', 'when full: refuses quickly'],
    judge: full(({ answers }) => {
      const slowest = Math.max(
        0,
        ...answers.flatMap((a) => (!(a instanceof NoAnswer) && a.status === 503 ? [a.tookMs] : [])),
      )
      if (slowest <= QUICK_MS) return pass
      return fail(`503 within ${QUICK_MS} ms`, `${Math.round(slowest)} ms`, [
        '满载时不要排队，直接拒绝',
        'do not queue what can not be served: refuse it at once',
      ])
    }),
  },
  {
    id: 'overload.probes',
    level: 'must',
    title: ['满载时探针仍得应答', 'when full: answers probers'],
    judge: full(({ probes }) => {
      const bad = probes.find((probe) => probe instanceof NoAnswer || probe.status !== 200)
      if (bad === undefined) return pass
      return fail('200 from /healthz, /readyz and /load', shown(bad), [
        '探针不受并发上限约束，否则“满”会被当成“死”',
        'exempt probes from the limit, or full looks like dead',
      ])
    }),
  },
  {
    id: 'overload.recovers',
    level: 'must',
    title: ['突发过后恢复服务', 'serves again afterwards'],
    judge: full(({ after }) => {
      if (!(after instanceof NoAnswer) && after.status === 200) return pass
      return fail('200 within 5 s after the burst', shown(after), [
        '检查在途计数是否在应答结束时归还',
        'see that a place is given back when its answer has ended, or broke off',
      ])
    }),
  },
]

function isGoodOrRefused(answer: Answer | NoAnswer): boolean {
  if (answer instanceof NoAnswer) return false
  if (answer.status === 200) return true
  return answer.status === 503 && /^\d+$/.test(answer.headers['retry-after'] ?? '')
}

function shown(answer: Answer | NoAnswer | undefined): string {
  if (answer === undefined) return 'nothing'
  if (answer instanceof NoAnswer) return answer.message
  const after = answer.headers['retry-after']
  const header =
    answer.status < 500 ? '' : after === undefined ? ' without Retry-After' : ', Retry-After unfit'
  return `${answer.name}: status ${answer.status}${header}`
}
