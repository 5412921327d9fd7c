// Enrolments in words: a line each, one in full, and what a verification found.
import { z } from 'zod'
import { fields, table } from '../table.ts'
import type { Desk } from './command.ts'
import { percent } from './foresight.ts'
import { inLanguage, type Words } from './language.ts'
import { localTime, type Tone, toned } from './output.ts'
import { scopeText } from './answers.ts'

const time = z.iso.datetime()
const words = z.object({ zh: z.string(), en: z.string() })
const person = z.object({ name: z.string() })

export const enrolmentAnswer = z.object({
  id: z.string(),
  state: z.string(),
  possible: z.array(z.string()),
  terms: z.object({
    donor: z.object({ code: z.string(), name: words, tier: z.string() }),
    homes: z.array(z.string()),
    nodes: z.array(z.object({ id: z.string(), url: z.string() })),
    limit: z.object({ rps: z.number(), concurrent: z.number().nullable() }),
    reserve: z.number(),
    hours: z.object({ from: z.string(), until: z.string() }).nullable(),
    contact: z.object({ office: z.string(), phone: z.string(), email: z.string() }),
    validFrom: time,
    validUntil: time,
  }),
  submittedBy: person.nullable(),
  verification: z.object({ passed: z.boolean(), at: time, reasons: z.array(z.string()) }).nullable(),
  approval: z.object({ by: person, at: time }).nullable(),
  history: z.array(
    z.object({ step: z.string(), to: z.string(), by: person, at: time, reason: z.string().nullable() }),
  ),
})
export type EnrolmentAnswer = z.output<typeof enrolmentAnswer>

export const reportAnswer = z.object({
  verdict: z.string(),
  reasons: z.array(words),
  checks: z.array(
    z.object({ name: z.string(), node: z.string().nullable(), outcome: z.string(), detail: words }),
  ),
})
export type ReportAnswer = z.output<typeof reportAnswer>

const states: Readonly<Record<string, Words>> = {
  draft: { en: 'draft', zh: '草稿' },
  submitted: { en: 'submitted', zh: '已提交' },
  verified: { en: 'verified', zh: '已核验' },
  approved: { en: 'approved', zh: '已批准' },
  active: { en: 'active', zh: '生效中' },
  suspended: { en: 'suspended', zh: '已暂停' },
  withdrawn: { en: 'withdrawn', zh: '已撤出' },
}

export const stateText = (desk: Desk, state: string): string =>
  inLanguage(desk.language, states[state] ?? { en: state, zh: state })

export const enrolmentsTable = (desk: Desk, enrolments: readonly EnrolmentAnswer[]): string =>
  table(
    desk
      .say({ en: 'ID|Donor|Name|For|State|Pledges|Until', zh: '编号|支援方|名称|服务|状态|承诺|有效至' })
      .split('|'),
    enrolments.map(({ id, state, terms }) => [
      id,
      terms.donor.code,
      inLanguage(desk.language, terms.donor.name),
      scopeText(terms.homes),
      stateText(desk, state),
      `${terms.limit.rps} rps`,
      localTime(terms.validUntil),
    ]),
  )

export function enrolmentInFull(desk: Desk, enrolment: EnrolmentAnswer): string {
  const { id, state, possible, terms, submittedBy, verification, approval, history } = enrolment
  const { donor, homes, nodes, limit, reserve, hours, contact, validFrom, validUntil } = terms
  const always = desk.say({ en: 'always', zh: '全天' })
  const none = '-'
  return [
    fields([
      [desk.say({ en: 'id', zh: '编号' }), id],
      [desk.say({ en: 'may now', zh: '可执行' }), possible.join(' ')],
      [desk.say({ en: 'state', zh: '状态' }), stateText(desk, state)],
      [
        desk.say({ en: 'donor', zh: '支援方' }),
        `${donor.code} ${donor.name.zh} ${donor.name.en}, ${donor.tier}`,
      ],
      [desk.say({ en: 'serves', zh: '服务' }), homes.join(' ')],
      [desk.say({ en: 'nodes', zh: '节点' }), nodes.map((node) => `${node.id} ${node.url}`).join(', ')],
      [
        desk.say({ en: 'pledges', zh: '承诺' }),
        `${limit.rps} rps${limit.concurrent === null ? '' : `, ${limit.concurrent} ${desk.say({ en: 'at once', zh: '并发' })}`}`,
      ],
      [desk.say({ en: 'keeps', zh: '自留' }), percent(reserve)],
      [
        desk.say({ en: 'hours', zh: '时段' }),
        hours === null ? always : `${hours.from}-${hours.until} Asia/Shanghai`,
      ],
      [desk.say({ en: 'contact', zh: '联系' }), `${contact.office} ${contact.phone} ${contact.email}`],
      [desk.say({ en: 'valid', zh: '有效期' }), `${localTime(validFrom)} - ${localTime(validUntil)}`],
      [desk.say({ en: 'submitted by', zh: '提交人' }), submittedBy?.name ?? none],
      [
        desk.say({ en: 'verified', zh: '核验' }),
        verification === null
          ? none
          : `${outcomeText(desk, verification.passed ? 'passed' : 'failed')}, ${localTime(verification.at)}`,
      ],
      [
        desk.say({ en: 'approved by', zh: '批准人' }),
        approval === null ? none : `${approval.by.name}, ${localTime(approval.at)}`,
      ],
    ]),
    ...(verification?.reasons ?? []).map((reason) => `  ${reason}\n`),
    '\n',
    table(
      desk.say({ en: 'Time|Step|To|Who|Why', zh: '时间|步骤|状态|操作人|原因' }).split('|'),
      history.map(({ at, step, to, by, reason }) => [
        localTime(at),
        step,
        stateText(desk, to),
        by.name,
        reason ?? '',
      ]),
    ),
  ].join('')
}

const outcomes: Readonly<Record<string, { readonly words: Words; readonly tone: Tone }>> = {
  passed: { words: { en: 'passed', zh: '通过' }, tone: 'good' },
  failed: { words: { en: 'FAILED', zh: '未通过' }, tone: 'bad' },
  skipped: { words: { en: 'skipped', zh: '未检查' }, tone: 'dim' },
  aborted: { words: { en: 'broken off', zh: '已中止' }, tone: 'careful' },
}

export const outcomeText = (desk: Desk, outcome: string): string =>
  inLanguage(desk.language, outcomes[outcome]?.words ?? { en: outcome, zh: outcome })

export function reportText(desk: Desk, { verdict, reasons, checks }: ReportAnswer): string {
  const rows = checks.map(({ name, node, outcome, detail }) => [
    name,
    node ?? '-',
    outcomeText(desk, outcome),
    inLanguage(desk.language, detail),
  ])
  const headline = `${desk.say({ en: 'verification', zh: '核验' })}: ${outcomeText(desk, verdict)}`
  return [
    table(desk.say({ en: 'Check|Node|Outcome|Found', zh: '检查|节点|结果|情况' }).split('|'), rows),
    `${toned(outcomes[verdict]?.tone ?? 'dim', headline)}\n`,
    ...reasons.map((reason) => `  ${desk.say(reason)}\n`),
  ].join('')
}
