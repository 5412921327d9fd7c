// What a person reads about drills, in both languages.
import type { DrillEnding, FaultKind, Objectives } from '../model/drill.ts'
import type { DrillObjectionName, PlanWarning } from './drill-guards.ts'
import type { Moment } from './drill-measure.ts'
import type { FoundBy, StaysClosedFor } from './drill-own-trips.ts'
import type { GuardHeard } from './drill-report-guards.ts'
import type { DrillVerdict } from './drill-report.ts'
import type { Words } from './words.ts'

export const objectionWords: Readonly<Record<DrillObjectionName, Words>> = {
  lever: { zh: '演练总闸已拉下', en: 'all drills are stopped until the lever is released' },
  'home-busy': { zh: '该属地已有演练在进行', en: 'another drill of this home is on' },
  'unknown-home': { zh: '没有这个属地', en: 'there is no such home' },
  'nothing-in-scope': { zh: '范围内没有节点', en: 'none of its levels’ nodes is in scope' },
  'not-measured': {
    zh: '此处无法测量演练，因而无法自动中止',
    en: 'drills are not measured here, so nothing could stop one',
  },
  'nobody-left': { zh: '将没有任何级别可服务', en: 'no level would be left' },
  'levels-left': { zh: '剩余级别过少', en: 'too few levels would be left' },
  sheds: { zh: '将有请求被拒', en: 'requests would be turned away' },
  'room-left': { zh: '剩余容量过少', en: 'too little room would be left' },
  emergency: { zh: '处于战时模式', en: 'the federation is in emergency mode' },
  incident: { zh: '有节点正在故障', en: 'a node is failing already' },
  'wait-period': { zh: '距上次演练过近', en: 'the last drill ended too shortly before' },
}

export const warningWords: Readonly<Record<PlanWarning, Words>> = {
  'recovers-slower': {
    zh: '恢复目标短于熔断与爬坡所需时间',
    en: 'breaker and ramp take longer than the objective allows',
  },
  'detects-slower': { zh: '发现目标短于探测所需时间', en: 'probes take longer than the objective allows' },
  'never-found': {
    zh: '变慢不算失败，不会被发现',
    en: 'slow answers are no failure, so that nothing is found out',
  },
  'nothing-to-cut': {
    zh: '援助额度没有上限，或全部保留，削减无效',
    en: 'the donor lends without a bound, or all of it is left, so that nothing is cut',
  },
  'foreseen-gone': {
    zh: '预演假设：超过尝试时限或熔断阈值，视同节点被熔断',
    en: 'the preview takes the nodes for tripped: the fault is beyond a try’s deadline or the breaker’s threshold',
  },
  'foreseen-slower': {
    zh: '预演假设：节点继续服务，容量按利特尔法则随时延下降；不计对冲请求',
    en: 'the preview lets the nodes serve on, with capacity falling as answers take longer (Little’s law), without hedges',
  },
  'foreseen-retried': {
    zh: '预演假设：出错的那部分请求都可重试，由他处服务；其余由原节点服务',
    en: 'the preview has the failed share of requests served elsewhere, as if each could be repeated, and the rest at the nodes',
  },
  'foreseen-unmoved': {
    zh: '预演假设：沿用最后所知，流量不变',
    en: 'the preview moves nobody: what was known last stays in force',
  },
}

export const faultWords: Readonly<Record<FaultKind, Words>> = {
  trip: { zh: '人为熔断', en: 'breaker held open' },
  blackhole: { zh: '无响应', en: 'no answer at all' },
  refuse: { zh: '拒绝连接', en: 'connections refused' },
  latency: { zh: '增加时延', en: 'added latency' },
  errors: { zh: '返回错误', en: 'errors answered' },
  'probe-fail': { zh: '探测失败', en: 'probes fail' },
  'quota-cut': { zh: '削减援助额度', en: 'lending cut' },
  'registry-loss': { zh: '失去注册中心', en: 'registry lost' },
}

export const verdictOfDrill: Readonly<Record<DrillVerdict, Words>> = {
  passed: { zh: '达标', en: 'passed' },
  failed: { zh: '未达标', en: 'failed' },
  'ended-early': { zh: '提前结束', en: 'ended early' },
  interrupted: { zh: '中断', en: 'interrupted' },
  'no-traffic': { zh: '没有流量', en: 'no traffic' },
}

export const endingWords: Readonly<Record<DrillEnding, Words>> = {
  time: { zh: '时间到', en: 'its time was over' },
  owner: { zh: '有人结束', en: 'somebody ended it' },
  lever: { zh: '总闸拉下', en: 'the lever was pulled' },
  errors: { zh: '居民可见错误超限', en: 'residents saw too many errors' },
  latency: { zh: '时延超限', en: 'answers took too long' },
  failed: { zh: '节点真实故障', en: 'a node failed by itself' },
  emergency: { zh: '进入战时模式', en: 'the federation went to emergency mode' },
  interrupted: { zh: '无人续约', en: 'nobody renewed its lease' },
  measured: { zh: '无法测量', en: 'it could not be measured any more' },
}

export const momentWords: Readonly<Record<Moment, Words>> = {
  faultOn: { zh: '故障注入', en: 'fault on' },
  firstFailure: { zh: '首次尝试失败', en: 'first failed attempt' },
  breakerOpen: { zh: '熔断器断开', en: 'breaker open' },
  detected: { zh: '全部发现', en: 'found out' },
  firstElsewhere: { zh: '首个请求由他处服务', en: 'first request served elsewhere' },
  shifted: { zh: '稳定：已全部切换', en: 'steady: all served elsewhere' },
  faultOff: { zh: '故障解除', en: 'fault off' },
  firstHome: { zh: '首个请求回到原处', en: 'first request home' },
  recovered: { zh: '稳定：已全部恢复', en: 'steady: all served at home' },
}

export const objectiveWords: Readonly<Record<keyof Objectives, Words>> = {
  detectMs: { zh: '发现用时（毫秒）', en: 'time to detect, ms' },
  shiftMs: { zh: '切换用时（毫秒）', en: 'time to shift, ms' },
  recoverMs: { zh: '恢复用时（毫秒）', en: 'time to recover, ms' },
  errorShare: { zh: '居民可见错误占比', en: 'share of errors that residents saw' },
  addedP99Ms: { zh: 'p99 增加（毫秒）', en: 'added p99, ms' },
}

export const foundByWords: Readonly<Record<FoundBy, Words>> = {
  breaker: { zh: '参与组的熔断器', en: 'the cohort’s breaker' },
  control: {
    zh: '按对照组请求计量的熔断器',
    en: 'a breaker fed with what the control met',
  },
  probes: { zh: '健康检查', en: 'probes' },
}

export const staysClosedWords: Readonly<Record<StaysClosedFor, Words>> = {
  'nothing-heard': {
    zh: '不会：其间未收到该节点的任何答复',
    en: 'no: nothing was heard of it meanwhile',
  },
  'nothing-failed': { zh: '不会：没有失败', en: 'no: nothing of it failed' },
  'too-few-failed': { zh: '不会：失败未达熔断阈值', en: 'no: less failed than opens a breaker' },
}

export const guardPartWords: Readonly<Record<GuardHeard['did'], Words>> = {
  overruled: { zh: '被强行越过', en: 'overruled' },
  fired: { zh: '中止了演练', en: 'ended the drill' },
}

/** Of what happened to a node in the cohort's view; in English it is told as it is named. */
export const eventWords: Readonly<Record<string, string>> = {
  'breaker open': '熔断器断开',
  'breaker half-open': '熔断器半开',
  'breaker closed': '熔断器闭合',
  'health up': '健康检查通过',
  'health down': '健康检查未通过',
  stalled: '无响应',
}
