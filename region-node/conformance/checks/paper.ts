// Paper: printed by home alone, believed offline without a colour, shown with the colour of now, and refused once lost.
import { randomUUID } from 'node:crypto'
import { verifyCode } from '../../verify/verify-code.ts'
import type { Check, Facts, Verdict } from '../check.ts'
import { fail, needs, pass, skip } from '../check.ts'
import type { Answer, ConformanceClient } from '../client.ts'
import {
  faultsOf,
  lossReceiptSchema,
  paperReceiptSchema,
  readJson,
  severityOf,
  verificationSchema,
} from '../contract.ts'
import type { PaperReceipt } from '../contract.ts'
import { fetchCode } from '../issued.ts'

type Judge = (client: ConformanceClient, facts: Facts) => Promise<Verdict>

/** Printing is home's own, so of a donor only its refusal is looked at. */
const byHome =
  (judge: Judge): Judge =>
  async (client, facts) => {
    if (!facts.write) return skip('it writes; run again with --write against a test system')
    const { view } = (await facts.issued()).first
    if (view === null) return needs('codes.shape')
    return view.issuer === facts.home
      ? judge(client, facts)
      : skip('only a home issues paper, and this is a donor')
  }

const ofPaper = (judge: (paper: PaperReceipt, client: ConformanceClient, facts: Facts) => Promise<Verdict>) =>
  byHome(async (client, facts) => {
    const printed = paperReceiptSchema.safeParse(readJson((await print(client, facts)).body))
    return printed.success ? judge(printed.data, client, facts) : needs('paper.issued')
  })

export const paperChecks: readonly Check[] = [
  {
    id: 'paper.issued',
    level: 'must',
    title: ['属地签发的纸质码可离线验证，且不含颜色', 'a paper of home is good offline, and tells no colour'],
    judge: byHome(judgeIssue),
  },
  {
    id: 'paper.verified',
    level: 'must',
    title: ['纸质码联网时显示居民当前颜色', 'a paper is shown with the resident’s colour of now'],
    judge: ofPaper(async ({ code, residentTokens }, client, facts) => {
      const todo = [
        '查库取当前颜色，不得更好',
        'look the colour up for each verification, and never better it',
      ] as const
      const { view } = await fetchCode(client, subjectOf(facts))
      if (view === null) return needs('codes.shape')
      const read = verificationSchema.safeParse(readJson((await verify(client, code)).body))
      const expected = `valid: true for its resident, no better than ${view.status}`
      if (!read.success) return fail(expected, faultsOf(read.error), todo)
      if (!read.data.valid) return fail(expected, `refused: ${read.data.status}`, todo)
      if (read.data.residentToken !== residentTokens[0]) return fail(expected, 'another resident', todo)
      const better = severityOf[read.data.status] < severityOf[view.status]
      return better ? fail(expected, read.data.status, todo) : pass
    }),
  },
  {
    id: 'paper.lost',
    level: 'must',
    title: ['挂失后立即拒绝', 'refuses a paper as soon as it is reported lost'],
    judge: ofPaper(async ({ code, codeId }, client, facts) => {
      const todo = [
        '挂失入库后再应答',
        'answer a loss report when the loss is on disk, and look there',
      ] as const
      const body = { residentId: subjectOf(facts), codeId }
      const report = await post(client, '/v1/loss-reports', body, { 'idempotency-key': randomUUID() })
      const receipt = lossReceiptSchema.safeParse(readJson(report.body))
      if (report.status !== 201 || !receipt.success || receipt.data.codesLost !== 1) {
        return fail('201 with codesLost 1', `status ${report.status}`, todo)
      }
      const read = verificationSchema.safeParse(readJson((await verify(client, code)).body))
      if (read.success && !read.data.valid) return pass
      return fail('valid: false', read.success ? 'taken as valid' : 'no verdict', todo)
    }),
  },
]

async function judgeIssue(client: ConformanceClient, facts: Facts): Promise<Verdict> {
  const { trust, home, clock } = facts
  const todo = [
    '以地区密钥签发 typ 为 chiyuan-paper 的码，字段见 docs/codes.md',
    'sign it by the region’s key as typ chiyuan-paper with the claims of docs/codes.md and no others',
  ] as const
  const { status, body } = await print(client, facts)
  const read = paperReceiptSchema.safeParse(readJson(body))
  if (status !== 201 || !read.success) {
    return fail(
      '201 with a paper',
      `status ${status}${read.success ? '' : `; ${faultsOf(read.error)}`}`,
      todo,
    )
  }
  if (trust.lists === null) return fail('lists to judge a code by', trust.fault, todo)
  const { code, residentTokens } = read.data
  // Nobody has lost what was printed a moment ago.
  const verdict = await verifyCode(code, trust.lists, { nowMs: clock(), lossesKnownOf: home })
  if (verdict.outcome !== 'genuine-paper') {
    const reason = 'reason' in verdict ? ` (${verdict.reason})` : ''
    return fail('genuine-paper', `${verdict.outcome}${reason}`, todo)
  }
  const { sub, hom, exp } = verdict.claims
  const alike =
    sub.join() === residentTokens.join() && exp === Math.floor(Date.parse(read.data.validUntil) / 1000)
  return alike && hom === home ? pass : fail('the same in the JWS and in the JSON', 'another', todo)
}

/** The last one named: the colours of the others stay as they were. */
const subjectOf = ({ residents }: Facts): string => residents.at(-1) ?? residents[0]

const post = (
  client: ConformanceClient,
  path: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> => client.ask({ name: path, path, method: 'POST', personal: true, body, headers })

const print = (client: ConformanceClient, facts: Facts): Promise<Answer> =>
  post(client, '/v1/paper-codes', { residentId: subjectOf(facts) }, { 'idempotency-key': randomUUID() })

const verify = (client: ConformanceClient, code: string): Promise<Answer> =>
  post(client, '/v1/verifications', { code })
