// The verification endpoint: takes what is genuine, and nothing else.
import type { Check, Facts, Verdict } from '../check.ts'
import { fail, needs, pass, skip } from '../check.ts'
import type { ConformanceClient } from '../client.ts'
import { claimsSchema, faultsOf, readJson, severityOf, verificationSchema } from '../contract.ts'
import type { ReadCode } from '../issued.ts'

type Forge = (code: string, other: string) => string

/** @param forge Makes of two genuine codes one that must be refused. No key is needed, so none is made here. */
const refuses = (id: Check['id'], title: Check['title'], forge: Forge): Check => ({
  id,
  level: 'must',
  title,
  judge: async (client, facts) => {
    const { first, second } = await facts.issued()
    if (first.view === null || second.view === null) return needs('codes.shape')
    const forged = forge(second.view.code, first.view.code)
    // Where both say the same, the signature of one is good for the other.
    return forged === first.view.code ? needs('codes.rid') : judgeRefusal(client, forged)
  },
})

export const verificationChecks: readonly Check[] = [
  {
    id: 'verification.genuine',
    level: 'must',
    title: ['承认真码且颜色不优于签发', 'takes a genuine code, never for a better colour'],
    judge: async (client, facts) => {
      const { second } = await facts.issued()
      return second.view === null ? needs('codes.shape') : judgeGenuine(client, second, facts)
    },
  },
  {
    id: 'freshness.verified',
    level: 'must',
    title: ['代验地区不称 live', 'a verdict of a region that stands in does not say live'],
    judge: async (client, facts) => {
      const { view } = (await facts.issued()).second
      if (view === null) return needs('codes.shape')
      const read = verificationSchema.safeParse(readJson((await post(client, view.code)).body))
      if (!read.success || !read.data.valid) return needs('verification.genuine')
      const { freshness, issuer, divisionCode } = read.data
      if (freshness !== 'live' || issuer === divisionCode) return pass
      return fail('replica or stale from a region that stands in', freshness, [
        '代验地区须标 replica 或 stale',
        'mark what is not the home’s own as replica or stale',
      ])
    },
  },
  {
    id: 'verification.expired',
    level: 'must',
    title: ['拒绝过期的真码', 'refuses a genuine code that has run out'],
    judge: async (client, { expiredCode }) => {
      if (expiredCode === undefined)
        return skip('no code that has run out; give one of this node with --expired-code')
      const read = verificationSchema.safeParse(readJson((await post(client, expiredCode)).body))
      if (read.success && !read.data.valid && read.data.status === 'expired') return pass
      return fail('valid: false with status "expired"', read.success ? read.data.status : 'no verdict', [
        '比对 exp 与本机时钟，容差至多 30 秒',
        'compare exp with the clock, with a tolerance of 30 s at the most',
      ])
    },
  },
  refuses(
    'verification.tampered',
    ['拒绝篡改颜色的码', 'refuses a code whose colour was changed'],
    withOtherColour,
  ),
  refuses('verification.alg-none', ['拒绝 alg 为 none 的码', 'refuses alg none'], (code) =>
    [part({ alg: 'none', typ: 'chiyuan-code' }), code.split('.')[1], ''].join('.'),
  ),
  refuses(
    'verification.foreign-signature',
    ['拒绝移用另一码签名的码', 'refuses a code under the signature of another one'],
    (code, other) => [...code.split('.').slice(0, 2), other.split('.')[2]].join('.'),
  ),
  refuses('verification.unknown-kid', ['拒绝清单外的 kid', 'refuses a kid that is not listed'], (code) =>
    [part({ alg: 'ES256', typ: 'chiyuan-code', kid: 'A'.repeat(43) }), ...code.split('.').slice(1)].join('.'),
  ),
  refuses('verification.malformed', ['拒绝非码文本', 'refuses what is no code'], () => 'no-code'),
]

async function judgeGenuine(
  client: ConformanceClient,
  { view, claims }: ReadCode,
  { home }: Facts,
): Promise<Verdict> {
  const { status, body } = await post(client, view?.code ?? '')
  const read = verificationSchema.safeParse(readJson(body))
  const todo = [
    '真码应判 valid: true；颜色取签发与库中更严者',
    'say valid: true with the members of the contract, and the more restrictive of both colours',
  ] as const
  const expected = '200, valid, the same resident and home, a colour not better than signed'
  if (status !== 200 || !read.success) {
    return fail(expected, `status ${status}${read.success ? '' : `; ${faultsOf(read.error)}`}`, todo)
  }
  const { data } = read
  if (!data.valid) return fail(expected, `refused: ${data.status}`, todo)
  if (data.residentToken !== view?.residentToken || data.divisionCode !== home) {
    return fail(expected, 'another resident or home', todo)
  }
  const signed = claims?.st ?? view.status
  return severityOf[data.status] < severityOf[signed] ? fail(expected, 'a better colour', todo) : pass
}

async function judgeRefusal(client: ConformanceClient, code: string): Promise<Verdict> {
  const { status, body } = await post(client, code)
  const read = verificationSchema.safeParse(readJson(body))
  if (status === 200 && read.success && !read.data.valid) return pass
  const came = read.success && read.data.valid ? 'taken as valid' : `status ${status}, not such a verdict`
  return fail('200 with valid: false, a status and a reason', came, [
    '先按信任清单验签（仅 ES256），再读内容',
    'verify the signature first, ES256 alone, by the key that the trust list has under this kid',
  ])
}

const post = (client: ConformanceClient, code: string) =>
  client.ask({
    name: '/v1/verifications',
    path: '/v1/verifications',
    method: 'POST',
    body: { code },
    personal: true,
  })

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')
const textOf = (code: string, index: number): string =>
  Buffer.from(code.split('.')[index] ?? '', 'base64url').toString('utf8')

function withOtherColour(code: string): string {
  const [header = '', , signature = ''] = code.split('.')
  const claims = claimsSchema.safeParse(readJson(textOf(code, 1))).data
  return [header, part({ ...claims, st: claims?.st === 'green' ? 'yellow' : 'green' }), signature].join('.')
}
