// Codes: their shape, their signature, what they claim, and how fresh they say they are.
import { verifyCode } from '../../verify/verify-code.ts'
import type { Check, Facts, Verdict } from '../check.ts'
import { fail, needs, pass } from '../check.ts'
import type { Claims, CodeAnswer } from '../contract.ts'
import { codePath } from '../issued.ts'

const LIFETIME = { shortest: 60, longest: 300 }
/** Clocks may differ by so many seconds. */
const SKEW = 30
const MOST_CHARACTERS = 1195

interface Read {
  readonly view: CodeAnswer
  readonly claims: Claims
}

/** The judgement of a code that could be read; skipped where none could. */
const ofCode =
  (judge: (read: Read, facts: Facts) => Verdict | Promise<Verdict>): Check['judge'] =>
  async (_client, facts) => {
    const { view, claims } = (await facts.issued()).first
    return view === null || claims === null ? needs('codes.shape') : judge({ view, claims }, facts)
  }

export const codeChecks: readonly Check[] = [
  {
    id: 'codes.shape',
    level: 'must',
    title: ['码的应答与签名内容字段齐全', 'a code’s answer and claims have their members'],
    judge: async (_client, facts) => {
      const { fault } = (await facts.issued()).first
      if (fault === '') return pass
      return fail('200 with every member of a code, and a JWS with every claim', fault, [
        '按契约补全字段；若为 404，请用 --resident 指定节点已有的合成居民',
        'give every member; if it was 404, name a synthetic resident that the node has with --resident',
      ])
    },
  },
  {
    id: 'codes.signature',
    level: 'must',
    title: ['签名凭信任清单可验', 'its signature is good under the trust list'],
    judge: ofCode(judgeSignature),
  },
  {
    id: 'codes.claims',
    level: 'must',
    title: ['签名内容与应答一致', 'what is signed is what is said'],
    judge: ofCode(judgeClaims),
  },
  {
    id: 'codes.lifetime',
    level: 'must',
    title: ['展示码当前有效，寿命 60 至 300 秒', 'is good now, and for 60 to 300 s'],
    judge: ofCode(({ claims: { iat, exp } }, { clock }) => {
      const now = clock() / 1000
      const lives = exp - iat
      const timely = iat <= now + SKEW && now - SKEW < exp
      if (timely && lives >= LIFETIME.shortest && lives <= LIFETIME.longest) return pass
      return fail(
        `issued now, good for ${LIFETIME.shortest} to ${LIFETIME.longest} s`,
        `issued ${Math.round(now - iat)} s ago, good for ${lives} s`,
        ['校准时钟，每次请求签发新码', 'set the clock, and sign a new code for each request'],
      )
    }),
  },
  {
    id: 'codes.rid',
    level: 'must',
    title: ['每次签发的 rid 不同', 'each issue has a rid of its own'],
    judge: async (_client, facts) => {
      const { first, second } = await facts.issued()
      if (first.claims === null || second.claims === null) return needs('codes.shape')
      if (first.claims.rid !== second.claims.rid) return pass
      return fail('another rid at the second issue', 'the same one', [
        '每码随机生成 rid，否则无法单独撤销',
        'make rid at random for each code: one code is revoked by it',
      ])
    },
  },
  {
    id: 'codes.token',
    level: 'must',
    title: ['居民令牌稳定且不含标识', 'the resident’s token is the same each time, and tells nothing'],
    judge: async (_client, facts) => {
      const { first, second } = await facts.issued()
      if (first.view === null || second.view === null) return needs('codes.shape')
      const { residentToken } = first.view
      const same = residentToken === second.view.residentToken
      if (same && !residentToken.includes(facts.residents[0])) return pass
      return fail('one opaque token for one resident', same ? 'a token that holds the id' : 'two tokens', [
        '令牌由标识经密钥派生，且各节点一致',
        'derive the token from the id by a key that all nodes of the region share',
      ])
    },
  },
  {
    id: 'codes.size',
    level: 'must',
    title: ['码可容于一个二维码', 'fits in one QR code'],
    judge: ofCode(({ view }) => {
      if (view.code.length <= MOST_CHARACTERS) return pass
      return fail(`at most ${MOST_CHARACTERS} characters`, `${view.code.length}`, [
        '删去多余的声明与头部字段',
        'leave out claims and header members that are not in the contract',
      ])
    }),
  },
  {
    id: 'codes.head',
    level: 'should',
    title: ['HEAD 与 GET 同状态而无正文', 'answers HEAD as GET, without a body'],
    judge: async (client, { residents: [id], issued }) => {
      if ((await issued()).first.view === null) return needs('codes.shape')
      const path = codePath(id)
      const { status, body } = await client.ask({
        name: '/v1/codes/{id}',
        path,
        method: 'HEAD',
        personal: true,
      })
      if (status === 200 && body === '') return pass
      return fail('200 without a body', `status ${status}`, [
        '实现 HEAD（RFC 9110）',
        'answer HEAD, RFC 9110',
      ])
    },
  },
  {
    id: 'codes.synthetic',
    level: 'should',
    title: ['以 Synthetic-Data 标明合成数据', 'marks synthetic data by Synthetic-Data: ?1'],
    judge: async (_client, facts) => {
      const { answer } = (await facts.issued()).first
      if (answer.headers['synthetic-data'] === '?1') return pass
      return fail('Synthetic-Data: ?1', 'no such header', [
        '测试环境的每个应答都带此头，以免误作真码',
        'send it with every answer of a test system, lest one be taken for real',
      ])
    },
  },
  {
    id: 'freshness.truthful',
    level: 'must',
    title: ['仅属地签发者可称 live', 'only the home’s own node says live'],
    judge: ofCode(({ view: { freshness, issuer, divisionCode } }) => {
      const isHome = issuer === divisionCode
      if (isHome || freshness !== 'live') return pass
      return fail('replica or stale from a region that stands in', freshness, [
        '代签地区须标 replica 或 stale',
        'mark what is not the home’s own as replica or stale',
      ])
    }),
  },
  {
    id: 'freshness.age',
    level: 'should',
    title: ['updatedAt 不晚于签发时间', 'updatedAt is not after the issue'],
    judge: ofCode(({ view }) => {
      const aheadMs = Date.parse(view.updatedAt) - Date.parse(view.issuedAt)
      if (aheadMs <= SKEW * 1000) return pass
      return fail('updatedAt before issuedAt', `${Math.round(aheadMs / 1000)} s after it`, [
        'updatedAt 是状态最近变化的时间',
        'updatedAt is when the colour’s data last changed',
      ])
    }),
  },
]

async function judgeSignature({ view }: Read, { trust, clock }: Facts): Promise<Verdict> {
  const todo = [
    '用信任清单中本地区（或受托地区）的密钥以 ES256 签名',
    'sign by ES256 with a key that the trust list has for this region, and for other homes under a delegation',
  ] as const
  if (trust.lists === null) return fail('lists to judge a code by', trust.fault, todo)
  const verdict = await verifyCode(view.code, trust.lists, { nowMs: clock() })
  // Its times are a check of their own, and revocation lists are asked for only of codes that live too long.
  if (['valid', 'expired', 'not-yet-valid'].includes(verdict.outcome)) return pass
  if (verdict.outcome === 'list-too-old' && verdict.list === 'revocation-list') return pass
  const reason = 'reason' in verdict ? ` (${verdict.reason})` : ''
  return fail('a genuine code', `${verdict.outcome}${reason}`, todo)
}

function judgeClaims({ view, claims }: Read, { home }: Facts): Verdict {
  const wrong = [
    ['st and status', claims.st === view.status],
    ['hom and divisionCode', claims.hom === view.divisionCode],
    ['divisionCode and the home asked for', view.divisionCode === home],
    ['iss and issuer', claims.iss === view.issuer],
    ['sub and residentToken', claims.sub === view.residentToken],
    ['iat and issuedAt', claims.iat === seconds(view.issuedAt)],
    ['exp and validUntil', claims.exp === seconds(view.validUntil)],
    ['tst and testTime', (claims.tst ?? null) === (view.testTime === null ? null : seconds(view.testTime))],
  ].flatMap(([pair, fits]) => (fits === true ? [] : [String(pair)]))
  if (wrong.length === 0) return pass
  return fail('the same in the JWS and in the JSON', `these differ: ${wrong.join(', ')}`, [
    '从同一份数据生成两者',
    'make both of the same data',
  ])
}

const seconds = (time: string): number => Math.floor(Date.parse(time) / 1000)
