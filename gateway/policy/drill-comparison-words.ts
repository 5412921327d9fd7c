// What a person reads of two drills beside each other, in both languages.
import type { DifferenceName, PlanDifference } from './drill-differences.ts'
import type { FigureName, Judgement } from './drill-comparison.ts'
import { objectiveWords } from './drill-words.ts'
import type { Words } from './words.ts'

export const judgementWords: Readonly<Record<Judgement, Words>> = {
  better: { zh: '更好', en: 'better' },
  worse: { zh: '更差', en: 'WORSE' },
  same: { zh: '相当', en: 'same' },
  changed: { zh: '有变化', en: 'changed' },
  unknown: { zh: '无从判断', en: 'unknown' },
}

export const figureWords: Readonly<Record<FigureName, Words>> = {
  ...objectiveWords,
  firstElsewhereMs: { zh: '首个请求由他处服务（毫秒）', en: 'first request served elsewhere, ms' },
  addedErrorShare: { zh: '比对照组多出的错误占比', en: 'share of errors beyond the control' },
  p50Ms: { zh: 'p50（毫秒）', en: 'p50, ms' },
  p95Ms: { zh: 'p95（毫秒）', en: 'p95, ms' },
  p99Ms: { zh: 'p99（毫秒）', en: 'p99, ms' },
  retries: { zh: '每请求重试', en: 'retries a request' },
  hedges: { zh: '每请求对冲', en: 'hedges a request' },
  lastGood: { zh: '最近可用答复占比', en: 'share of last good answers' },
  shed: { zh: '拒绝占比', en: 'share turned away' },
}

export const differenceWords: Readonly<Record<DifferenceName, Words>> = {
  fault: { zh: '故障', en: 'fault' },
  homes: { zh: '属地', en: 'homes' },
  targets: { zh: '故障范围', en: 'scope of the fault' },
  cohort: { zh: '参与居民', en: 'cohort' },
  seconds: { zh: '计划时长', en: 'planned length' },
  objectives: { zh: '目标', en: 'objectives' },
  ran: { zh: '实际故障时长', en: 'length of the fault' },
  traffic: { zh: '流量', en: 'traffic' },
  evidence: { zh: '结果是否完整', en: 'whether it ran its time' },
}

export const effectWords: Readonly<Record<PlanDifference['effect'], Words>> = {
  breaks: { zh: '不可比', en: 'not comparable' },
  shades: { zh: '比较时请留意', en: 'keep in mind' },
}
