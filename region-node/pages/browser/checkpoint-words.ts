// What a checkpoint's page says, in both languages.
import type { ListProblem, Outcome, Verdict } from '../../verify/verdict.ts'
import type { PaperColour, Refusal } from './paper-colour.ts'

export const words = {
  zh: {
    documentTitle: '验码 · 驰援',
    brand: '驰援 · 验码',
    title: '验码',
    other: 'English',
    code: '粘贴码的内容，或扫码',
    verify: '核验',
    scan: '扫码',
    stop: '停止扫码',
    file: '图片或文件',
    next: '下一位',
    nothing: '等待核验',
    hint: '扫码、粘贴或选择图片',
    lists: '核验依据',
    trust: '信任清单',
    revocations: '撤销清单',
    root: '信任根指纹',
    compare: '请与另外渠道公布的指纹核对',
    update: '更新清单',
    updating: '更新中…',
    missing: '缺失',
    online: '清单已更新',
    offline: '现在无法更新；凭已存清单离线核验',
    refused: '收到的清单不可信，仍用已存清单',
    forget: '更换信任根',
    noCode: '没有找到二维码，请换一张图片或粘贴内容',
    noCamera: '无法使用摄像头，请粘贴内容或选择图片',
    home: '属地',
    issuer: '签发',
    kind: '种类',
    issued: '签发于',
    until: '有效至',
    age: '清单时间',
    resident: '居民出示页面',
    synthetic: '演示系统：全部数据均为合成。核验在本机进行；只有纸质码会发给节点，以查询颜色。',
  },
  en: {
    documentTitle: 'Checkpoint · Chiyuan',
    brand: 'Chiyuan · checkpoint',
    title: 'Verify a code',
    other: '中文',
    code: 'Paste what the code says, or scan it',
    verify: 'Verify',
    scan: 'Scan',
    stop: 'Stop scanning',
    file: 'Picture or file',
    next: 'Next person',
    nothing: 'Nothing verified yet',
    hint: 'Scan, paste or choose a picture',
    lists: 'What it is judged by',
    trust: 'Trust list',
    revocations: 'Revocation lists',
    root: 'Thumbprint of the trust root',
    compare: 'Compare it with the one announced by another way',
    update: 'Update the lists',
    updating: 'Updating…',
    missing: 'missing',
    online: 'The lists are up to date',
    offline: 'They can’t be updated now; codes are judged offline by the lists kept here',
    refused: 'The lists received are not to be believed; the ones kept here stay in use',
    forget: 'Change the trust root',
    noCode: 'There is no QR code to be seen; try another picture, or paste the text',
    noCamera: 'The camera can’t be used; paste the text or choose a picture',
    home: 'Home region',
    issuer: 'Signed by',
    kind: 'Kind',
    issued: 'Signed',
    until: 'Good until',
    age: 'Lists from',
    resident: 'Resident page',
    synthetic:
      'Demonstration: all data are synthetic. Codes are judged on this device; only a paper is sent to a node, for its colour.',
  },
} as const

export const outcomes: Record<'zh' | 'en', Record<Outcome, string>> = {
  zh: {
    valid: '有效',
    'genuine-paper': '纸质码真实 · 颜色未知',
    expired: '已过期',
    'not-yet-valid': '尚未生效',
    tampered: '被篡改',
    revoked: '已撤销',
    'unknown-issuer': '签发者不明',
    undelegated: '未获授权',
    'list-too-old': '无法判断',
    malformed: '不是有效的码',
  },
  en: {
    valid: 'Valid',
    'genuine-paper': 'Genuine paper · colour unknown',
    expired: 'Expired',
    'not-yet-valid': 'Not valid yet',
    tampered: 'Tampered with',
    revoked: 'Revoked',
    'unknown-issuer': 'Unknown issuer',
    undelegated: 'Not authorised',
    'list-too-old': 'Can’t be judged',
    malformed: 'Not a code',
  },
}

const advice: Record<'zh' | 'en', Record<Outcome, string>> = {
  zh: {
    valid: '签名真实、在有效期内；能否通行看颜色',
    'genuine-paper': '纸质码签名真实、在有效期内，但纸上没有颜色：请联网后再核验，或核验身份证件',
    expired: '请持码人刷新后再出示；纸质码须到发放处重新打印',
    'not-yet-valid': '请核对双方设备的时间',
    tampered: '签名与内容不符，请勿放行，并核验身份证件',
    revoked: '此码已被撤销：请持码人刷新后再出示；纸质码可能已挂失，请核验身份证件',
    'unknown-issuer': '签发密钥不在信任清单中，请核验身份证件',
    undelegated: '签发地区没有为该属地签发的有效授权',
    'list-too-old': '清单缺失或过旧，请联网更新后再核验',
    malformed: '内容不完整，或不是本系统的码',
  },
  en: {
    valid: 'Genuine and in time; whether they may pass is in the colour',
    'genuine-paper':
      'In time, but paper tells no colour: verify it again with a network, or check an ID card',
    expired: 'Ask them to refresh it and show it again; a paper is printed anew where it was issued',
    'not-yet-valid': 'Compare the clocks of both devices',
    tampered: 'The signature does not fit the content; do not let them pass, and check an ID card',
    revoked:
      'The region took this code back: ask for a fresh one; a paper may be reported lost, so check an ID card',
    'unknown-issuer': 'Its key is not in the trust list; check an ID card',
    undelegated: 'The region that signed has no agreement for this home region now',
    'list-too-old': 'A list is missing or too old; update the lists and verify again',
    malformed: 'It is incomplete, or no code of this system',
  },
}

const asking = {
  zh: '纸质码签名真实，正在联网查询颜色…',
  en: 'The paper is genuine; its colour is being looked up…',
} as const

const lookedUp = {
  zh: { fresh: '颜色刚刚联网查得，能否通行看颜色', stale: '颜色查自较旧的副本，请以身份证件核对' },
  en: {
    fresh: 'The colour was looked up just now; whether they may pass is in it',
    stale: 'The colour is from an older copy; check an ID card too',
  },
} as const

export const paperGenuine = { zh: '纸质码真实', en: 'Genuine paper' } as const

/** A paper that the node refuses, and this device would not have. */
export const refusals: Record<'zh' | 'en', Record<Refusal, string>> = {
  zh: { lost: '已挂失', revoked: '已撤销', expired: '已过期', 'unknown-code': '属地无此码' },
  en: { lost: 'Reported lost', revoked: 'Revoked', expired: 'Expired', 'unknown-code': 'Unknown at home' },
}

const refusedOnline = {
  zh: '属地不再认可此纸质码，请勿放行，并核验身份证件',
  en: 'The home region does not take this paper any more; do not let them pass, and check an ID card',
} as const

const clockAhead = {
  zh: '清单的时间晚于本机时钟：请校准本机时间',
  en: 'A list is from after this device’s clock: set the clock right',
} as const

/** What to do about it. @param paper What was looked up of a paper; `null` for any other code. */
export function adviceOn(verdict: Verdict, paper: PaperColour | null, language: 'zh' | 'en'): string {
  if (paper?.is === 'asked') return asking[language]
  if (paper?.is === 'known') return lookedUp[language][paper.stale ? 'stale' : 'fresh']
  if (paper?.is === 'refused') return refusedOnline[language]
  const ahead: ListProblem = 'ahead-of-clock'
  if (verdict.outcome === 'list-too-old' && verdict.why === ahead) return clockAhead[language]
  return advice[language][verdict.outcome]
}

export const kinds = {
  zh: {
    display: '实时出示码',
    carried: '随身凭证',
    paper: '纸质码',
    family: (people: number) => `家庭码（${people} 人）`,
    delegated: '（支援区域签发）',
  },
  en: {
    display: 'shown fresh',
    carried: 'carried credential',
    paper: 'paper code',
    family: (people: number) => `family code (${people} people)`,
    delegated: ' (by a region that stands in)',
  },
} as const
