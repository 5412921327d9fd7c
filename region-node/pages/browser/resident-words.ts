// What a resident's page says, in both languages.
import type { Look } from './shapes.ts'
import type { Source } from './shown-code.ts'

export const words = {
  zh: {
    documentTitle: '居民码 · 驰援',
    brand: '驰援 · 公共服务码',
    title: '居民码',
    other: 'English',
    left: '本码剩余',
    updated: '状态更新',
    tested: '最近采样',
    result: '结果',
    home: '属地',
    issuer: '签发',
    issued: '签发时间',
    refresh: '刷新',
    refreshing: '刷新中…',
    resident: '演示居民编号',
    open: '打开',
    checkpoint: '验码页面',
    synthetic: '演示系统：全部数据均为合成，不含任何真实个人信息。',
    unknown: '没有这位居民，请检查编号。',
    retrying: '刚才未能更新，将自动重试；本码在有效期内照常有效。',
    script: '此页面需要启用 JavaScript。',
  },
  en: {
    documentTitle: 'Resident code · Chiyuan',
    brand: 'Chiyuan · public service code',
    title: 'Resident code',
    other: '中文',
    left: 'This code lasts',
    updated: 'Status as of',
    tested: 'Last sample',
    result: 'Result',
    home: 'Home region',
    issuer: 'Signed by',
    issued: 'Signed at',
    refresh: 'Refresh',
    refreshing: 'Refreshing…',
    resident: 'Demo resident',
    open: 'Open',
    checkpoint: 'Checkpoint page',
    synthetic: 'Demonstration: all data are synthetic and describe no real person.',
    unknown: 'There is no such resident; check the number.',
    retrying: 'The last update failed and will be tried again; this code stays good until it ends.',
    script: 'This page needs JavaScript.',
  },
} as const

export const looks: Record<'zh' | 'en', Record<Look, string>> = {
  zh: {
    green: '绿码',
    yellow: '黄码',
    red: '红码',
    paper: '纸质码',
    none: '暂无有效码',
    refused: '无效',
    waiting: '正在获取',
  },
  en: {
    green: 'Green',
    yellow: 'Yellow',
    red: 'Red',
    paper: 'Paper code',
    none: 'No valid code',
    refused: 'Refused',
    waiting: 'Loading',
  },
}

export const sources: Record<'zh' | 'en', Record<Source | 'none' | 'waiting', (issuer: string) => string>> = {
  zh: {
    home: () => '属地实时',
    support: (issuer) => `属地暂时无法应答，由${issuer}支援签发，同样有效`,
    kept: () => '暂时无法更新，显示的是最近一次取得的码，仍在有效期内',
    carried: () => '网络或服务暂不可用，出示随身凭证，可离线核验',
    none: () => '请出示身份证件，工作人员可人工核验；恢复后本页自动更新',
    waiting: () => '正在获取，请稍候',
  },
  en: {
    home: () => 'Live from the home region',
    support: (issuer) =>
      `The home region can’t answer now; ${issuer} stands in, and the code is just as good`,
    kept: () => 'It can’t be updated now; this is the last code that was got, and it is still good',
    carried: () =>
      'Network or service is away: this is your carried credential, which can be verified offline',
    none: () => 'Please show your ID card instead; this page updates by itself when the service is back',
    waiting: () => 'One moment please',
  },
}

export const results = {
  zh: { negative: '阴性', positive: '阳性', pending: '待出' },
  en: { negative: 'negative', positive: 'positive', pending: 'pending' },
} as const
