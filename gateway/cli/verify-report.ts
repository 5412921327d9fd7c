// A verdict in words for whoever stands at the checkpoint, Chinese first, then English.
import type { CodeClaims, CodeKind } from '../../region-node/verify/claims.ts'
import type { PaperClaims } from '../../region-node/verify/paper-claims.ts'
import type {
  ListProblem,
  MalformedReason,
  UnknownIssuerReason,
  Verdict,
} from '../../region-node/verify/verdict.ts'

type Words = readonly [zh: string, en: string]

/** Lines for a terminal. Whose code it is stays out of them: they end up in logs. */
export function verdictReport(verdict: Verdict): string {
  const lines = [
    ...headline(verdict),
    ...(verdict.outcome === 'valid' ? times(verdict.claims) : []),
    ...(verdict.outcome === 'genuine-paper' ? printed(verdict.claims) : []),
    ...ages(verdict),
  ]
  return `${lines.join('\n')}\n`
}

function headline(verdict: Verdict): Words {
  switch (verdict.outcome) {
    case 'valid':
      return validHeadline(verdict.claims, verdict.kind)
    case 'genuine-paper':
      return paperHeadline(verdict.claims)
    case 'expired':
      return [`已过期：${iso(verdict.expiredAt)} 起失效。`, `Expired: it ended at ${iso(verdict.expiredAt)}.`]
    case 'not-yet-valid':
      return [
        `尚未生效：签发时间 ${iso(verdict.validFrom)} 晚于本机时钟。`,
        `Not yet valid: it was issued at ${iso(verdict.validFrom)}, later than this clock.`,
      ]
    case 'tampered':
      return ['已被篡改：签名与内容不符。', 'Tampered: the signature does not fit the content.']
    case 'revoked':
      return ['已撤销。', 'Revoked: its issuer or the home region took it back.']
    case 'unknown-issuer':
      return unknownIssuer[verdict.reason]
    case 'undelegated':
      return [
        `未获授权：${verdict.donor} 未获准代 ${verdict.hom} 签发此码。`,
        `Undelegated: no agreement lets ${verdict.donor} sign this code for residents of ${verdict.hom}.`,
      ]
    case 'list-too-old':
      return listWords(verdict.list, verdict.why)
    case 'malformed':
      return malformed[verdict.reason]
  }
}

const colours: Record<CodeClaims['st'], Words> = {
  green: ['绿码', 'green'],
  yellow: ['黄码', 'yellow'],
  red: ['红码', 'red'],
}

const kinds: Record<CodeKind, Words> = {
  display: ['展示码', 'display code'],
  carried: ['随身凭证', 'carried credential'],
}

function validHeadline({ st, hom, iss }: CodeClaims, kind: CodeKind): Words {
  const [colourZh, colourEn] = colours[st]
  const [kindZh, kindEn] = kinds[kind]
  return [
    `有效：${colourZh}。${kindZh}，属地 ${hom}，由 ${iss} 签发。`,
    `Valid: ${colourEn}. A ${kindEn} of a resident of ${hom}, signed by ${iss}.`,
  ]
}

function paperHeadline({ sub, hom, iss }: PaperClaims): Words {
  const [zh, en] =
    sub.length === 1 ? ['1 人', 'one resident'] : [`${sub.length} 人`, `${sub.length} residents`]
  return [
    `纸质码真实，颜色在此未知：须联网查询。代表 ${zh}，属地 ${hom}，由 ${iss} 签发。`,
    `Genuine paper, colour unknown here: look it up online. It stands for ${en} of ${hom}, signed by ${iss}.`,
  ]
}

const unknownIssuer: Record<UnknownIssuerReason, Words> = {
  'no-such-key': ['签发方未知：信任清单中没有此密钥。', 'Unknown issuer: its key is not in the trust list.'],
  'not-its-region': [
    '签发方未知：密钥不属于所称地区。',
    'Unknown issuer: the key is not of the region that the code names.',
  ],
  'beyond-key': [
    '签发方未知：码的有效期超出密钥有效期。',
    'Unknown issuer: the code reaches beyond the time of its key.',
  ],
}

const malformed: Record<MalformedReason, Words> = {
  'too-long': ['格式错误：过长，不是本系统的码。', 'Malformed: too long to be a code.'],
  form: ['格式错误：不是完整的码。', 'Malformed: not a whole code; was it cut off?'],
  header: ['格式错误：算法或头部不被接受。', 'Malformed: its algorithm or header is not accepted.'],
  claims: [
    '格式错误：签名无误，但内容不合规则。',
    'Malformed: genuinely signed, but its content breaks the rules.',
  ],
}

const listNames: Record<'trust-list' | 'revocation-list', Words> = {
  'trust-list': ['信任清单', 'trust list'],
  'revocation-list': ['撤销清单', 'revocation list'],
}

function listWords(list: 'trust-list' | 'revocation-list', why: ListProblem): Words {
  const [zh, en] = listNames[list]
  switch (why) {
    case 'missing':
      return [
        `清单过旧：缺少签发密钥的${zh}。`,
        `List too old: there is no ${en} for this code; get the newest.`,
      ]
    case 'over-age':
      return [`清单过旧：请更新${zh}。`, `List too old: get a newer ${en}.`]
    case 'ahead-of-clock':
      return [
        `清单时间晚于本机时钟（${zh}）：请校准时钟。`,
        `The ${en} is ahead of this clock: set the clock.`,
      ]
  }
}

function times({ iat, exp, tst }: CodeClaims): string[] {
  const tested = tst === undefined ? '无 none' : iso(tst)
  return [...printed({ iat, exp }), `  最近检测 last test: ${tested}`]
}

const printed = ({ iat, exp }: Pick<CodeClaims, 'iat' | 'exp'>): string[] => [
  `  签发 issued: ${iso(iat)}`,
  `  有效至 good until: ${iso(exp)}`,
]

const ages = ({ lists }: Verdict): string[] => [
  `  信任清单 trust list: ${age(lists.trustSeconds)}`,
  `  撤销清单 revocation list: ${age(lists.revocationsSeconds)}`,
]

function age(seconds: number | null): string {
  if (seconds === null) return '无 none'
  const hours = Math.floor(seconds / 3600)
  const minutes = Math.floor((seconds % 3600) / 60)
  return `${hours} 小时 ${minutes} 分钟前签发, ${hours} h ${minutes} min old`
}

const iso = (seconds: number): string => new Date(seconds * 1000).toISOString().replace('.000Z', 'Z')
