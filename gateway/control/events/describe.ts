// A happening in words, with how grave it is and what it is about.
import type { HoldKind, HoldStep } from '../../model/hold.ts'
import type { RegionId } from '../../model/ids.ts'
import type { DrillTold, Happening, OperatorEvent } from '../../model/happening.ts'
import { levelWords, type Words } from '../../policy/words.ts'

/** A region's name, where it is known. */
export type NameOf = (code: RegionId) => Words | null

type Described = Pick<OperatorEvent, 'severity' | 'region' | 'node' | 'home' | 'message'>

export function describe(happening: Happening, nameOf: NameOf): Described {
  switch (happening.kind) {
    case 'health':
      return health(happening)
    case 'breaker':
      return breaker(happening)
    case 'readiness':
      return readiness(happening, nameOf)
    case 'shift':
      return shift(happening, nameOf)
    case 'hold':
      return held(happening, nameOf)
    case 'mode': {
      const words = {
        emergency: { zh: '已进入战时模式', en: 'mode is emergency' },
        peacetime: { zh: '已恢复平时模式', en: 'mode is peacetime' },
      }[happening.mode]
      return about('warn', words)
    }
    case 'snapshot': {
      const { version, regions, nodes } = happening
      return about('info', {
        zh: `快照 ${version} 生效：${regions} 个区域，${nodes} 个节点`,
        en: `snapshot ${version} is in force: ${regions} regions, ${nodes} nodes`,
      })
    }
    case 'registry':
      return happening.up
        ? about('info', { zh: '注册中心已恢复', en: 'registry is back' })
        : about('error', {
            zh: `注册中心不可用，按最后所知继续：${happening.detail}`,
            en: `registry lost, routing on what was last known: ${happening.detail}`,
          })
    case 'shedding':
      return shedding(happening.home, nameOf)
    case 'protection':
      return protection(happening)
    case 'enrolment':
      return enrolment(happening, nameOf)
    case 'drill':
      return drill(happening, nameOf)
    case 'reload-refused': {
      const { what, detail } = happening
      const zh = what === 'configuration' ? '新配置' : '新证书'
      return about('error', {
        zh: `${zh}被拒绝，沿用原有：${detail}`,
        en: `new ${what} refused, the old one stays: ${detail}`,
      })
    }
  }
}

type About = { [K in 'region' | 'node' | 'home']?: Described[K] | undefined }

const about = (
  severity: Described['severity'],
  message: Words,
  { region = null, node = null, home = null }: About = {},
): Described => ({ severity, message, region, node, home })

function named(code: RegionId, nameOf: NameOf): Words {
  const name = nameOf(code)
  return name === null ? { zh: code, en: code } : { zh: `${name.zh} (${code})`, en: `${name.en} (${code})` }
}

function health({ node, region, health: state, detail }: Extract<Happening, { kind: 'health' }>): Described {
  const words = {
    up: { zh: '恢复可用', en: 'is up' },
    down: { zh: '不可用', en: 'is down' },
    unknown: { zh: '状态未知', en: 'is in an unknown state' },
  }[state]
  const message = { zh: `${node} ${words.zh}：${detail}`, en: `${node} ${words.en}: ${detail}` }
  return about(state === 'up' ? 'info' : 'warn', message, { node, region })
}

function breaker({ node, region, state }: Extract<Happening, { kind: 'breaker' }>): Described {
  const words = {
    open: { zh: '熔断器断开：失败过多', en: 'breaker opened: too many of its answers failed' },
    'half-open': { zh: '熔断器半开，试探中', en: 'breaker lets one request through to see' },
    closed: { zh: '熔断器闭合，逐步恢复', en: 'breaker closed: the node is ramped back' },
  }[state]
  const message = { zh: `${node} ${words.zh}`, en: `${node} ${words.en}` }
  return about(state === 'open' ? 'warn' : 'info', message, { node, region })
}

/** Homes that a message names; the rest is in the happening. */
const homesNamed = 3

function readiness(
  { node, region, notReadyFor }: Extract<Happening, { kind: 'readiness' }>,
  nameOf: NameOf,
): Described {
  if (notReadyFor.length === 0) {
    const message = { zh: `${node} 可为所有属地服务`, en: `${node} can answer for every home again` }
    return about('info', message, { node, region })
  }
  const homes = notReadyFor.slice(0, homesNamed).map((home) => named(home, nameOf))
  const more = notReadyFor.length - homes.length
  const message = {
    zh: `${node} 暂不能为 ${homes.map(({ zh }) => zh).join('、')}${more > 0 ? `等 ${notReadyFor.length} 个属地` : ''} 服务`,
    en: `${node} can't answer for ${homes.map(({ en }) => en).join(', ')}${more > 0 ? ` and ${more} more` : ''} now`,
  }
  return about('warn', message, { node, region, home: notReadyFor.length === 1 ? notReadyFor[0] : null })
}

const protection = ({ level, reason }: Extract<Happening, { kind: 'protection' }>): Described =>
  level === 'normal'
    ? about('info', { zh: '网关自我保护解除', en: 'the gateway no longer needs to protect its own process' })
    : about('warn', {
        zh: `网关自我保护：${level}，原因 ${reason}`,
        en: `the gateway protects its own process: ${level}, because of ${reason}`,
      })

function shedding(home: RegionId, nameOf: NameOf): Described {
  const who = named(home, nameOf)
  const message = {
    zh: `${who.zh}：请求超出各级能力，开始限流`,
    en: `${who.en}: more requests than all levels can take, shedding`,
  }
  return about('warn', message, { home })
}

function enrolment(
  { enrolment: id, donor, step }: Extract<Happening, { kind: 'enrolment' }>,
  nameOf: NameOf,
): Described {
  const who = named(donor, nameOf)
  const message = { zh: `${who.zh} 入网 ${id}：${step}`, en: `${who.en} enrolment ${id}: ${step}` }
  return about('info', message, { region: donor })
}

const drillWords: Readonly<Record<DrillTold, Words>> = {
  draft: { zh: '已起草', en: 'drafted' },
  previewed: { zh: '已预览', en: 'previewed' },
  approved: { zh: '已批准', en: 'approved' },
  scheduled: { zh: '已排期', en: 'scheduled' },
  running: { zh: '已开始', en: 'has begun' },
  restoring: { zh: '故障结束，正在恢复', en: 'has ended, and nodes are trusted again' },
  reported: { zh: '已完成，报告已生成', en: 'is done and reported' },
  refused: { zh: '被否决', en: 'was refused' },
  aborted: { zh: '已中止', en: 'was given up, or ended early' },
  'fault-on': { zh: '故障已注入', en: 'has its fault on' },
  'fault-off': { zh: '故障已解除', en: 'has its fault off' },
  over: { zh: '居民已全部退出', en: 'has nobody in it any more' },
}

function drill({ drill: id, homes, step }: Extract<Happening, { kind: 'drill' }>, nameOf: NameOf): Described {
  const all = homes.slice(0, homesNamed).map((home) => named(home, nameOf))
  const more = homes.length - all.length
  const message = {
    zh: `${all.map(({ zh }) => zh).join('、')}${more > 0 ? `等 ${homes.length} 个属地` : ''}：演练 ${id} ${drillWords[step].zh}`,
    en: `${all.map(({ en }) => en).join(', ')}${more > 0 ? ` and ${more} more` : ''}: drill ${id} ${drillWords[step].en}`,
  }
  return about(step === 'fault-on' ? 'warn' : 'info', message, {
    home: homes.length === 1 ? homes[0] : null,
  })
}

function shift(
  { home, level, region, changes, swings }: Extract<Happening, { kind: 'shift' }>,
  nameOf: NameOf,
): Described {
  const who = named(home, nameOf)
  if (level === 'none' || region === null) {
    return about('error', { zh: `${who.zh}：各级均不可用`, en: `${who.en}: no level can answer` }, { home })
  }
  const by = named(region, nameOf)
  const { zh, en } = levelWords[level]
  if (swings) {
    const message = {
      zh: `${who.zh}：在各级之间切换 ${changes} 次，现由${zh} ${by.zh} 服务`,
      en: `${who.en}: served by turns, ${changes} changes; now by ${en} ${by.en}`,
    }
    return about('warn', message, { home, region })
  }
  if (level === 'local') {
    return about(
      'info',
      { zh: `${who.zh}：已恢复属地服务`, en: `${who.en}: served at home again` },
      { home, region },
    )
  }
  const message = { zh: `${who.zh}：已切换至${zh} ${by.zh}`, en: `${who.en}: failed over to ${en} ${by.en}` }
  return about('warn', message, { home, region })
}

const kindWords: Readonly<Record<HoldKind, Words>> = {
  trip: { zh: '人工熔断', en: 'trip' },
  drain: { zh: '排空', en: 'drain' },
  bypass: { zh: '旁路', en: 'bypass' },
}
const stepWords: Readonly<Record<HoldStep, Words>> = {
  put: { zh: '已置位', en: 'put' },
  changed: { zh: '已更改', en: 'changed' },
  ended: { zh: '已解除', en: 'ended' },
  expired: { zh: '已到期', en: 'expired' },
}

function held({ hold, step }: Extract<Happening, { kind: 'hold' }>, nameOf: NameOf): Described {
  const { scope, kind, owner } = hold
  const what = 'node' in scope ? { zh: scope.node, en: scope.node } : named(scope.region, nameOf)
  const message = {
    zh: `${what.zh}：${kindWords[kind].zh}${stepWords[step].zh}（${owner}）`,
    en: `${what.en}: ${kindWords[kind].en} ${stepWords[step].en} (${owner})`,
  }
  const severity = step === 'put' || step === 'changed' ? 'warn' : 'info'
  return 'node' in scope
    ? about(severity, message, { node: scope.node })
    : about(severity, message, { region: scope.region })
}
