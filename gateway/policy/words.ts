// What a person reads for the codes that decisions are told in, in both languages.
import type { Verdict } from '../model/outcome.ts'
import type { LevelName } from '../model/region.ts'

export interface Words {
  readonly zh: string
  readonly en: string
}

export const verdictWords: Readonly<Record<Verdict, Words>> = {
  ok: { zh: '可用', en: 'may be tried' },
  held: { zh: '已由人工熔断', en: 'tripped by an operator' },
  draining: { zh: '正在排空', en: 'drained by an operator' },
  'not-ready-for-home': {
    zh: '节点声明暂不能服务该属地',
    en: 'it says that it can’t answer for this home now',
  },
  unhealthy: { zh: '健康检查未通过', en: 'its probes fail' },
  'breaker-open': { zh: '熔断器已断开', en: 'its breaker is open' },
  'on-trial': {
    zh: '熔断器半开，此请求不可重试',
    en: 'its breaker is half open, and the request can’t be moved',
  },
  full: { zh: '并发已满', en: 'it has as many requests open as it can take' },
  reserved: { zh: '余量留给本地居民', en: 'what is left is kept for its own residents' },
  'quota-spent': { zh: '支援额度已用完', en: 'its region has lent as much as it agreed to' },
  stalled: { zh: '无响应', en: 'it answers nothing at present' },
  ramping: { zh: '正在逐步恢复', en: 'it is being ramped back' },
}

export const levelWords: Readonly<Record<LevelName, Words>> = {
  local: { zh: '属地', en: 'local' },
  neighbour: { zh: '邻近地市', en: 'neighbour' },
  province: { zh: '省级', en: 'province' },
  nation: { zh: '国家级', en: 'nation' },
}

/** Why a node stands where it stands in a plan. */
export type PlanReason = 'in-good-standing' | 'put-off' | 'doubted'

export const planReasonWords: Readonly<Record<PlanReason, Words>> = {
  'in-good-standing': { zh: '状态良好', en: 'in good standing' },
  'put-off': { zh: '别无更优节点时使用', en: 'put off, tried where nothing better is left' },
  doubted: {
    zh: '无其他节点，不采信健康检查',
    en: 'nothing else is left, so what speaks against it is doubted',
  },
}

/** What becomes of a request at this moment. */
export type Prospect = 'served' | 'waits' | 'nobody'

export const prospectWords: Readonly<Record<Prospect, Words>> = {
  served: { zh: '有节点可用', en: 'a node takes it' },
  waits: { zh: '节点已满，短暂排队', en: 'every node is full; it waits for a short time' },
  nobody: { zh: '各级均不可用', en: 'no level can answer' },
}
