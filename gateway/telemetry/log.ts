// What is told as it happens: one line for each change that an operator would want to know of, none for a good request.
import { type Logger, pino } from 'pino'
import type { BreakerState, Health, Observer, RequestOutcome, ProtectionName } from '../model/events.ts'
import type { DrillMove } from '../model/drill.ts'
import type { RegionId } from '../model/ids.ts'
import type { Happening } from '../model/happening.ts'
import type { Hold, HoldStep } from '../model/hold.ts'
import type { Mode } from '../model/mode.ts'
import type { CodeNode } from '../model/region.ts'
import type { Home, Level } from '../model/snapshot.ts'
import { outliveReaders, writeLine } from './output.ts'
import { type Shift, ShiftReport } from './shift-report.ts'

export type LogFormat = 'json' | 'text'

/** Logs to standard output, and does without it where nobody reads it any longer. */
export function createLogger(level: string, format: LogFormat): Logger {
  outliveReaders()
  // Not pino's own way out: that one waits for a reader who has stopped reading, and nobody is served meanwhile.
  if (format === 'json')
    return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime }, { write: writeLine })
  return pino({ level, base: null }, { write: (line: string) => writeLine(asText(line)) })
}

const levels: Record<number, string> = { 20: 'debug', 30: 'info ', 40: 'WARN ', 50: 'ERROR', 60: 'FATAL' }

/** `17:52:11.042 WARN  xian-1 is down: probe failed: ECONNREFUSED` */
function asText(json: string): string {
  const parsed: unknown = JSON.parse(json)
  if (typeof parsed !== 'object' || parsed === null) return json
  const time = 'time' in parsed ? new Date(Number(parsed.time)).toISOString().slice(11, 23) : ''
  const level = 'level' in parsed ? (levels[Number(parsed.level)] ?? '') : ''
  const message = 'msg' in parsed ? String(parsed.msg) : ''
  const worker = 'worker' in parsed ? `worker ${String(parsed.worker)}: ` : ''
  return `${time} ${level} ${worker}${message}\n`
}

/** How often it is looked at where a home's answers come from, ms. */
const lookEveryMs = 250

/** Homes that a line of text names; the field has all. */
const shownHomes = 8

/** So long nobody must have been turned away before it is told anew. */
const calmMs = 10_000

interface Tally {
  readonly home: Home
  readonly byLevel: Map<Level | null, number>
}

/** Tells changes of nodes, breakers, configuration, and where each home is served from. */
export class LogObserver implements Observer, Disposable {
  private readonly logger: Logger
  private readonly tell: (happening: Happening) => void
  private tallies = new Map<string, Tally>()
  private readonly shifts = new Map<string, ShiftReport>()
  /** When a home's requests were last turned away. */
  private readonly shedAt = new Map<string, number>()
  private timer: NodeJS.Timeout | undefined

  /** @param tell Told what operators are to see as it happens, the logger's level aside. Must not throw. */
  constructor(logger: Logger, tell: (happening: Happening) => void = () => {}) {
    this.logger = logger
    this.tell = tell
  }

  requestEnded(home: Home, level: Level | null, outcome: RequestOutcome): void {
    if (outcome === 'client-left' || outcome === 'refused' || outcome === 'shed') return
    const { code } = home.region
    let tally = this.tallies.get(code)
    if (tally === undefined) {
      tally = { home, byLevel: new Map() }
      this.tallies.set(code, tally)
    }
    tally.byLevel.set(level, (tally.byLevel.get(level) ?? 0) + 1)
    this.timer ??= setTimeout(() => this.look(), lookEveryMs).unref()
  }

  requestShed(home: Home): void {
    const { code, name } = home.region
    const now = performance.now()
    if (now - (this.shedAt.get(code) ?? -Infinity) > calmMs) {
      this.tell({ kind: 'shedding', home: code })
      this.logger.warn(
        { event: 'shedding', home: code },
        `${name.zh} ${name.en} (${code}): more requests than all levels can take, shedding 请求超出各级能力，开始限流`,
      )
    }
    this.shedAt.set(code, now)
  }

  requestCoalesced(): void {}

  modeSet(mode: Mode, before: Mode | null): void {
    if (before === null && mode === 'peacetime') return
    this.tell({ kind: 'mode', mode })
    const words = mode === 'emergency' ? '已进入战时模式' : '已恢复平时模式'
    this.logger.warn({ event: 'mode', mode, before }, `mode is ${mode} ${words}`)
  }

  holdChanged(hold: Hold, step: HoldStep): void {
    this.tell({ kind: 'hold', hold, step })
    const { id, kind, scope, owner, expiresAt } = hold
    const what = 'node' in scope ? scope.node : scope.region
    const fields = { event: 'hold', id, kind, ...scope, owner, expiresAt, step }
    const words = { put: '已置位', changed: '已更改', ended: '已解除', expired: '已到期' }[step]
    if (step === 'put') this.logger.warn(fields, `${what}: ${kind} put by ${owner} ${words}`)
    else this.logger.info(fields, `${what}: ${kind} of ${owner} ${step} ${words}`)
  }

  drillMoved({ drill, home, fault, before, phase }: DrillMove): void {
    const step = faultSteps[phase]
    if (step === null || (phase === 'recovering' && before !== 'fault')) return
    this.tell({ kind: 'drill', drill, homes: [home], step })
    const fields = { event: 'drill', drill, home, fault, step }
    const what = {
      'fault-on': 'a drill puts its fault on 演练开始注入故障',
      'fault-off': 'the drill’s fault is off 演练故障已解除',
      over: 'the drill is over 演练结束',
    }[step]
    if (step === 'fault-on') this.logger.warn(fields, `${home}: ${what}: ${fault} (${drill})`)
    else this.logger.info(fields, `${home}: ${what} (${drill})`)
  }

  drillRequestEnded(): void {}
  lastGoodServed(): void {}
  residentSeen(): void {}

  protectionChanged(level: ProtectionName, reason: string): void {
    this.tell({ kind: 'protection', level, reason })
    const fields = { event: 'protection', level, reason }
    if (level === 'normal') this.logger.info(fields, 'the gateway no longer needs to protect its own process')
    else this.logger.warn(fields, `the gateway protects its own process: ${level}, because of ${reason}`)
  }

  healthChanged(node: CodeNode, health: Health, detail: string): void {
    this.tell({ kind: 'health', node: node.id, region: node.region, health, detail })
    const fields = { event: 'health', node: node.id, region: node.region, health }
    if (health === 'up') this.logger.info(fields, `${node.id} is up: ${detail}`)
    else this.logger.warn(fields, `${node.id} is ${health}: ${detail}`)
  }

  readinessChanged(node: CodeNode, notReadyFor: ReadonlySet<RegionId>): void {
    const homes = [...notReadyFor].sort()
    this.tell({ kind: 'readiness', node: node.id, region: node.region, notReadyFor: homes })
    const fields = { event: 'readiness', node: node.id, region: node.region, notReadyFor: homes }
    if (homes.length === 0) this.logger.info(fields, `${node.id} is ready for every home 已可代答各地`)
    else {
      const more = homes.length > shownHomes ? ` and ${homes.length - shownHomes} more` : ''
      this.logger.warn(
        fields,
        `${node.id} says that it is not ready for ${homes.slice(0, shownHomes).join(', ')}${more} 暂不能代答; ` +
          'it gets none of their requests. Its own /readyz says why',
      )
    }
  }

  readinessUnreadable(node: CodeNode, why: string, isNew: boolean): void {
    if (!isNew) return
    const fields = { event: 'readiness', node: node.id, region: node.region, unreadable: why }
    this.logger.warn(
      fields,
      `${node.id}: what it says of its readiness ${why}; it counts as ready for every home`,
    )
  }

  breakerChanged(node: CodeNode, state: BreakerState): void {
    this.tell({ kind: 'breaker', node: node.id, region: node.region, state })
    const fields = { event: 'breaker', node: node.id, region: node.region, state }
    const what = {
      open: 'opened: too many of its answers failed',
      'half-open': 'lets one request through to see',
      closed: 'closed: the node answers again and is ramped back',
    }[state]
    if (state === 'open') this.logger.warn(fields, `${node.id} breaker ${what}`)
    else this.logger.info(fields, `${node.id} breaker ${what}`)
  }

  internalError(cause: unknown): void {
    // Name and frames only: a message could quote what a resident sent.
    const { name, frames } = framesOf(cause)
    this.logger.error({ event: 'internal', name, frames }, `internal error: ${name} ${frames[0] ?? ''}`)
  }

  snapshotApplied(version: number, regions: number, nodes: number): void {
    this.tell({ kind: 'snapshot', version, regions, nodes })
    this.logger.debug(
      { event: 'snapshot', version, regions, nodes },
      `snapshot ${version}: ${regions} regions, ${nodes} nodes`,
    )
  }

  reloadRefused(what: 'configuration' | 'certificate', detail: string): void {
    this.tell({ kind: 'reload-refused', what, detail })
    this.logger.error(
      { event: 'reload-refused', what, detail },
      `new ${what} refused, the old one stays: ${detail}`,
    )
  }

  registryLost(detail: string): void {
    this.tell({ kind: 'registry', up: false, detail })
    this.logger.error(
      { event: 'registry', up: false, detail },
      `registry lost, routing on what was last known: ${detail}`,
    )
  }

  registryBack(): void {
    this.tell({ kind: 'registry', up: true, detail: '' })
    this.logger.info({ event: 'registry', up: true }, 'registry is back')
  }

  catalogueLost(datacenter: string, detail: string): void {
    this.logger.warn(
      { event: 'catalogue', up: false, datacenter, detail },
      'catalogue of nodes lost; they stay as they were',
    )
  }

  catalogueRead(datacenter: string, nodes: number): void {
    this.logger.info({ event: 'catalogue', up: true, datacenter, nodes }, 'catalogue of nodes read')
  }

  requestBegan(): void {}
  requestRefused(): void {}
  attemptStarted(): void {}
  attemptEnded(): void {}
  budgetSpent(): void {}
  streamOpened(): void {}
  streamClosed(): void {}

  [Symbol.dispose](): void {
    clearTimeout(this.timer)
  }

  /** Says which level gives a home most of its answers, when that changes. */
  private look(): void {
    this.timer = undefined
    const { tallies } = this
    this.tallies = new Map()
    const now = performance.now()
    for (const [code, { home, byLevel }] of tallies) {
      const [level] = [...byLevel].reduce((most, entry) => (entry[1] > most[1] ? entry : most))
      let report = this.shifts.get(code)
      if (report === undefined) {
        report = new ShiftReport(`local ${code}`, nowhere)
        this.shifts.set(code, report)
      }
      const shift = report.see(level === null ? nowhere : `${level.name} ${level.region}`, now)
      if (shift !== null) this.tellShift(home, level, shift)
    }
  }

  private tellShift(home: Home, level: Level | null, { from, to, changes }: Shift): void {
    const { code, name } = home.region
    this.tell({
      kind: 'shift',
      home: code,
      level: level?.name ?? 'none',
      region: level?.region ?? null,
      changes,
      swings: from === to,
    })
    const fields = {
      event: 'shift',
      home: code,
      to: level?.name ?? 'none',
      region: level?.region ?? null,
      from,
      changes,
    }
    const who = `${name.zh} ${name.en} (${code})`
    if (level === null) this.logger.error(fields, `${who}: NO LEVEL CAN ANSWER 各级均不可用`)
    else if (from === to) {
      this.logger.warn(fields, `${who}: served by turns, ${changes} changes 在各级之间切换; now by ${to}`)
    } else if (level.name === 'local') this.logger.info(fields, `${who}: served at home again 已恢复属地服务`)
    else this.logger.warn(fields, `${who}: failed over to ${level.name} ${level.region} 已切换支援`)
  }
}

const nowhere = 'none'

const faultSteps = { ahead: null, fault: 'fault-on', recovering: 'fault-off', over: 'over' } as const

function framesOf(cause: unknown): { name: string; frames: string[] } {
  const name =
    typeof cause === 'object' && cause !== null && 'name' in cause ? String(cause.name) : typeof cause
  const stack = typeof cause === 'object' && cause !== null && 'stack' in cause ? String(cause.stack) : ''
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line))
  return { name, frames: frames.map((line) => line.trim()) }
}
