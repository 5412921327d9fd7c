// Checks that hand something in: idempotency, and that a colour is never bettered. Only with --write.
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Check, Facts, Verdict } from '../check.ts'
import { fail, pass, skip } from '../check.ts'
import type { Answer, ConformanceClient } from '../client.ts'
import {
  faultsOf,
  readJson,
  registrationReceiptSchema,
  registrationsSchema,
  severityOf,
  testReceiptSchema,
} from '../contract.ts'
import { fetchCode } from '../issued.ts'

const writing =
  (judge: Check['judge']): Check['judge'] =>
  async (client, facts) =>
    facts.write ? judge(client, facts) : skip('it writes; run again with --write against a test system')

export const writeChecks: readonly Check[] = [
  {
    id: 'idempotency.key-required',
    level: 'must',
    title: ['登记缺 Idempotency-Key 返回 400', '400 for a registration without Idempotency-Key'],
    judge: writing(async (client, facts) => {
      const { status } = await register(client, facts, undefined)
      if (status === 400) return pass
      return fail('400', `status ${status}`, [
        '无键的重发会登记两次，须拒绝',
        'refuse it: sent again, it would register twice',
      ])
    }),
  },
  {
    id: 'idempotency.replay',
    level: 'must',
    title: [
      '同键同请求只登记一次，应答相同',
      'the same request under one key is done once, and answered alike',
    ],
    judge: writing(judgeReplay),
  },
  {
    id: 'idempotency.key-reused',
    level: 'must',
    title: ['同键异请求返回 422', '422 for another request under a used key'],
    judge: writing(async (client, facts) => {
      const key = randomUUID()
      const first = await register(client, facts, key, 'site-1')
      if (first.status !== 201) return fail('201 for the first', `status ${first.status}`, firstTodo)
      const { status } = await register(client, facts, key, 'site-2')
      if (status === 422) return pass
      return fail('422', `status ${status}`, [
        '记录键所对应的请求摘要，不同则拒绝',
        'keep a digest of the request with its key, and refuse another one',
      ])
    }),
  },
  {
    id: 'codes.positive-reddens',
    level: 'must',
    title: ['阳性结果不使颜色变好，且转红', 'a positive test makes a colour red'],
    judge: writing(async (client, facts) => {
      const after = await afterTest(client, facts, 'positive')
      if ('outcome' in after) return after
      if (after.receipt === 'red' && after.shown === 'red') return pass
      return fail('red in the receipt and in the next code', `${after.receipt}, then ${after.shown}`, [
        '阳性结果入库与改色须在同一事务',
        'take the result and turn the colour in one transaction',
      ])
    }),
  },
  {
    id: 'codes.negative-never-betters',
    level: 'must',
    title: ['阴性结果不使颜色变好', 'a negative test betters no colour'],
    judge: writing(async (client, facts) => {
      const before = (await fetchCode(client, subjectOf(facts))).view?.status
      if (before === undefined) return skip('needs codes.shape, which failed')
      const after = await afterTest(client, facts, 'negative')
      if ('outcome' in after) return after
      const least = severityOf[before]
      if (severityOf[after.receipt] >= least && severityOf[after.shown] >= least) return pass
      return fail(`no better than ${before}`, `${after.receipt}, then ${after.shown}`, [
        '转好只能由属地主管决定',
        'only the home’s own authority decides to better a colour',
      ])
    }),
  },
]

const firstTodo = ['先让登记成功返回 201', 'make a registration with a new key answer 201'] as const

/** The last one named: the colours of the others stay as they were. */
const subjectOf = ({ residents }: Facts): string => residents.at(-1) ?? residents[0]

function register(
  client: ConformanceClient,
  facts: Facts,
  key: string | undefined,
  siteId = 'conformance',
): Promise<Answer> {
  return client.ask({
    name: '/v1/registrations',
    path: '/v1/registrations',
    method: 'POST',
    personal: true,
    body: { residentId: subjectOf(facts), siteId, registeredAt: '2026-01-05T09:00:00+08:00' },
    headers: key === undefined ? {} : { 'idempotency-key': key },
  })
}

async function judgeReplay(client: ConformanceClient, facts: Facts): Promise<Verdict> {
  const key = randomUUID()
  const todo = [
    '存下首次应答一日，同键重发时原样返回',
    'keep the first answer for a day and give it again, without doing anything',
  ] as const
  const before = await registrationIds(client, facts)
  const first = await register(client, facts, key)
  const receipt = registrationReceiptSchema.safeParse(readJson(first.body))
  if (first.status !== 201 || !receipt.success)
    return fail('201 with a receipt', `status ${first.status}`, firstTodo)
  const again = await register(client, facts, key)
  if (again.status !== first.status || !isDeepStrictEqual(readJson(again.body), readJson(first.body))) {
    return fail('the first answer again', `status ${again.status}, another answer`, todo)
  }
  const after = await registrationIds(client, facts)
  if (before === null || after === null) return fail('a list of registrations', 'none', todo)
  const added = after.filter((id) => !before.includes(id))
  if (added.length === 1 && added[0] === receipt.data.registrationId) return pass
  return fail('one registration', `${added.length} new ones in the list`, todo)
}

/** The newest 100; null where they could not be read. */
async function registrationIds(client: ConformanceClient, facts: Facts): Promise<string[] | null> {
  const path = `/v1/registrations/${encodeURIComponent(subjectOf(facts))}?limit=100`
  const { status, body } = await client.ask({ name: '/v1/registrations/{id}', path, personal: true })
  const read = registrationsSchema.safeParse(readJson(body))
  if (status !== 200 || !read.success) return null
  return read.data.registrations.map(({ registrationId }) => registrationId)
}

async function afterTest(client: ConformanceClient, facts: Facts, result: 'positive' | 'negative') {
  const { status, body } = await client.ask({
    name: '/v1/tests',
    path: '/v1/tests',
    method: 'POST',
    personal: true,
    body: { residentId: subjectOf(facts), result, sampledAt: new Date(facts.clock() - 60_000).toISOString() },
    headers: { 'idempotency-key': randomUUID() },
  })
  const read = testReceiptSchema.safeParse(readJson(body))
  if (status !== 201 || !read.success) {
    return fail(
      '201 with a receipt',
      `status ${status}${read.success ? '' : `; ${faultsOf(read.error)}`}`,
      firstTodo,
    )
  }
  const { view } = await fetchCode(client, subjectOf(facts))
  if (view === null) return skip('needs codes.shape, which failed')
  return { receipt: read.data.status, shown: view.status }
}
