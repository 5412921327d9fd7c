// What this process has measured, read from the board and from counters that are kept anyway.
import type { Mode } from '../model/mode.ts'
import type {
  GatewayReadings,
  HomeReadings,
  LevelRate,
  Measured,
  NodeReadings,
  Readings,
} from '../model/readings.ts'
import type { QuotaSharing } from '../model/quota-sharing.ts'
import { isRegionId, type RegionId } from '../model/ids.ts'
import { version } from '../model/version.ts'
import { conditionOf } from '../policy/condition.ts'
import { judge } from '../policy/eligibility.ts'
import { type ProtectionLevel, protectionNames } from '../policy/protection.ts'
import type { TallyLine } from '../telemetry/tally.ts'
import type { Rates } from '../telemetry/rates.ts'
import type { Board } from './health/board.ts'
import type { NodeState } from './health/node-state.ts'

export interface OwnReadingsParts {
  readonly board: Pick<Board, 'all'>
  readonly rates: Pick<Rates, 'perSecond'>
  /** Labels as `Metrics.requestLines` and `Metrics.attemptLines` say. */
  readonly metrics: { readonly requestLines: Iterable<TallyLine>; readonly attemptLines: Iterable<TallyLine> }
  readonly directory: {
    readonly lost: string | null
    readonly lostSince: number
    readonly snapshotVersion: number
  }
  readonly protection: { readonly level: ProtectionLevel }
  /** Where quotas are shared with other gateways. */
  readonly quotaSharing: () => QuotaSharing | null
  readonly settings: () => { readonly gatewayId: string; readonly mode: Mode }
  /** Monotonic ms. */
  readonly now: () => number
  /** Wall-clock milliseconds since 1970. */
  readonly wallNow: () => number
}

/** Draws nothing of a ramp: whether a node may be tried at all. */
const anyDraw = 0

export class OwnReadings implements Measured {
  private readonly parts: OwnReadingsParts
  private readonly startedAt: number

  constructor(parts: OwnReadingsParts) {
    this.parts = parts
    this.startedAt = parts.now()
  }

  async read(): Promise<Readings> {
    return this.readNow()
  }

  readNow(): Readings {
    return {
      at: this.parts.wallNow(),
      gateway: this.gateway(),
      nodes: this.nodes(),
      homes: this.homes(),
    }
  }

  private gateway(): GatewayReadings {
    const { directory, protection, settings, now } = this.parts
    const { gatewayId, mode } = settings()
    return {
      id: gatewayId,
      version,
      snapshotVersion: directory.snapshotVersion,
      mode,
      registryLost: directory.lost === null ? null : { since: directory.lostSince, detail: directory.lost },
      quotaSharing: this.parts.quotaSharing(),
      protection: protectionNames[protection.level],
      workers: { ready: 1, of: 1, missing: [] },
      uptimeSeconds: (now() - this.startedAt) / 1000,
    }
  }

  private nodes(): NodeReadings[] {
    const rps = new Map<string, number>()
    for (const line of this.parts.metrics.attemptLines) {
      const [node = ''] = line.labels
      rps.set(node, (rps.get(node) ?? 0) + this.parts.rates.perSecond(line))
    }
    const now = this.parts.now()
    return [...this.parts.board.all()].map((state) => nodeReadings(state, rps.get(state.node.id) ?? 0, now))
  }

  private homes(): HomeReadings[] {
    const homes = new Map<RegionId, HomeInTheMaking>()
    for (const line of this.parts.metrics.requestLines) {
      const rps = this.parts.rates.perSecond(line)
      const [home = '', level = '', region = '', outcome = ''] = line.labels
      if (rps === 0 || !isRegionId(home)) continue
      let making = homes.get(home)
      if (making === undefined) {
        making = { levels: new Map(), errors: 0, shed: 0 }
        homes.set(home, making)
      }
      count(making, level, region, outcome, rps)
    }
    return [...homes].map(([home, making]) => made(home, making))
  }
}

interface HomeInTheMaking {
  readonly levels: Map<string, { level: LevelRate['level']; region: RegionId | null; rps: number }>
  errors: number
  shed: number
}

function count(making: HomeInTheMaking, level: string, region: string, outcome: string, rps: number): void {
  if (outcome === 'refused') return
  if (outcome === 'upstream-error' || outcome === 'unavailable' || outcome === 'cut') making.errors += rps
  if (outcome === 'shed') making.shed += rps
  const name = `${level} ${region}`
  const known = making.levels.get(name)
  if (known === undefined) {
    making.levels.set(name, { level: levelOf(level), region: isRegionId(region) ? region : null, rps })
  } else known.rps += rps
}

const levelOf = (label: string): LevelRate['level'] =>
  label === 'local' || label === 'neighbour' || label === 'province' || label === 'nation' ? label : 'none'

function made(home: RegionId, { levels, errors, shed }: HomeInTheMaking): HomeReadings {
  const byLevel = [...levels.values()].sort((a, b) => b.rps - a.rps)
  return {
    home,
    rps: byLevel.reduce((sum, { rps }) => sum + rps, 0),
    byLevel,
    errorsPerSecond: errors,
    shedPerSecond: shed,
  }
}

const orNull = (value: number): number | null => (Number.isFinite(value) ? value : null)

function nodeReadings(state: NodeState, rps: number, now: number): NodeReadings {
  const { node, latency, known } = state
  const answered = latency.samples > 0
  // Forgets what is too old first, so that both are of the same answers.
  const meanMs = latency.mean(now)
  const condition = {
    health: state.health,
    breaker: state.breaker,
    notReadyFor: [...state.notReadyFor],
    trialUnderWay: state.trialUnderWay,
    trialOverdue: state.trialOverdue,
    silentOverdue: state.silentOverdue,
    hold: state.hold,
    inFlight: state.inFlight,
    limit: orNull(state.limit),
    homeReserve: state.homeReserve,
    // Not the state's own, which takes the question for somebody's demand.
    quotaSpent: state.donor.looksSpent(now),
    pausing: state.pausing,
    ramp: state.ramp,
  }
  return {
    ...condition,
    node: node.id,
    region: node.region,
    healthDetail: state.healthDetail,
    knownLimit: orNull(known.limit),
    limitBasis: known.basis,
    p99Ms: answered ? orNull(latency.p99(now)) : null,
    meanMs: orNull(meanMs),
    easeMs: state.easeMs === 0 ? null : state.easeMs,
    costMs: latency.peakEwma,
    rps,
    serving: judge(conditionOf(condition), node.region, anyDraw, true, false),
    lending: judge(conditionOf(condition), null, anyDraw, true, true),
  }
}
