// Registry, directory, probes and the board, constructed and wired.
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '../../config/schema.ts'
import { exactWallNow, systemClock } from '../control/clock.ts'
import { type Directory, snapshotOf } from '../control/directory.ts'
import { RegistryHearing } from '../control/drills/registry-hearing.ts'
import { Rehearsals } from '../control/drills/rehearsals.ts'
import type { EventLog } from '../control/events/event-log.ts'
import { type AskNode, nodeAsker } from '../control/health/ask-node.ts'
import { Board } from '../control/health/board.ts'
import type { NodeSettings, OwnDelay } from '../control/health/node-state.ts'
import { withLoadReports } from '../control/health/load-report.ts'
import { httpProbe } from '../control/health/http-probe.ts'
import { Prober } from '../control/health/prober.ts'
import { noIntent } from '../control/intent/read.ts'
import { LoopDelay } from '../control/loop-delay.ts'
import { NodeConnector } from '../control/node-tls/connect.ts'
import { Credentials } from '../control/node-tls/credentials.ts'
import { peppersOf } from '../control/pepper-file.ts'
import { Pressure, processCpuMs } from '../control/pressure.ts'
import { memoryShareOf } from '../control/process-memory.ts'
import { OwnReadings, type OwnReadingsParts } from '../control/own-readings.ts'
import { regionsOf } from '../control/regions.ts'
import type { Registry } from '../control/registry/port.ts'
import { residentSecret } from '../control/resident-secret.ts'
import { Pools } from '../edge/forward/pools.ts'
import { compileView, type View } from '../edge/view.ts'
import type { Observer } from '../model/events.ts'
import type { Happening } from '../model/happening.ts'
import type { Mode } from '../model/mode.ts'
import type { QuotaShares } from '../model/quota-shares.ts'
import type { EffectSettings } from '../policy/enrolment-effect.ts'
import { type ProtectionLevel, protectionNames } from '../policy/protection.ts'
import { ResidentWindow } from '../policy/resident-window.ts'
import { FanOut } from '../telemetry/fan-out.ts'
import { LogObserver } from '../telemetry/log.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { openIntent } from './intent.ts'
import { ProcessShare } from './process-share.ts'
import { Rates } from '../telemetry/rates.ts'
import type { TallyLine } from '../telemetry/tally.ts'
import { enrolledMayReach } from './verification.ts'
import { followCatalogues } from './discovery.ts'
import { openEvents } from './events.ts'
import { SettingsInForce } from './settings.ts'

/** What differs where a gateway is one of several workers of a primary. */
export interface Role {
  /** Open the operators' listener; without it `adminPort` is 0. */
  readonly operators: boolean
  /** Its part of its gateway's share of donors' pledges; `null` where it has all of that. */
  readonly quotas: QuotaShares | null
  /** Where what operators are to see is told; `null` where this process keeps it itself. */
  readonly tell: ((happening: Happening) => void) | null
  /** Processes that share the work, this one included. */
  readonly workers: number
  /** What of the settings in force is this process's. */
  readonly part: (config: Config) => Config
}

/** The only process of its gateway. */
export const aloneRole: Role = {
  operators: true,
  quotas: null,
  tell: null,
  workers: 1,
  part: (config) => config,
}

/** Over which residents are counted, ms. */
export const residentWindowMs = 60_000

export interface Control {
  readonly registry: Registry
  readonly directory: Directory
  readonly board: Board
  /** The drills that this process takes part in. */
  readonly rehearsals: Rehearsals
  readonly pools: Pools
  readonly observer: Observer
  readonly metrics: Metrics
  readonly pressure: Pressure
  readonly measured: OwnReadings
  /** What operators are to see; stays empty where it is told elsewhere. */
  readonly events: EventLog
  readonly readings: Readings
  /** The configuration in force. */
  readonly config: () => Config
  /** The mode that the file names, whichever is in force. */
  readonly fileMode: () => Mode
  /** What would be in force in that mode. */
  readonly inMode: (mode: Mode) => Config
  readonly view: () => View
  /** What is amiss with the sharing of donors' quotas, one line each. */
  readonly quotaWarnings: () => readonly string[]
  readonly reload: (config: Config) => string[]
}

/** What control asks and tells the data plane, which is there only later. */
interface Readings {
  connections: () => number
  waiting: () => number
  protect: (level: ProtectionLevel) => void
  /** Other settings are in force. */
  configured: (config: Config) => void
}

/**
 * Registry, directory, probes and the board: everything that makes the view that the edge reads.
 * @throws {UsageError} for files that can't be used.
 */
export async function startControl(
  initial: Config,
  logger: Logger,
  role: Role,
  started: AsyncDisposableStack,
): Promise<Control> {
  const settings = new SettingsInForce(initial, role.part)
  const config = (): Config => settings.config
  const secret = await residentSecret(initial.resident.keyFile ?? null, join(initial.dataDir, 'resident.key'))
  let peppers = peppersOf(initial)
  const measured = startMeasuring(config, logger, role, started)
  const { observer, board, rehearsals, pools, prober, metrics, pressure, readings, credentials } = measured
  const enrolments = (): EffectSettings => ({ ...config().enrolment, share: 1 / role.workers })
  let view = compileView(config(), snapshotOf(0, [], noIntent), secret, peppers)
  /** Everywhere that settings are read from a copy. @param before The mode that was in force. */
  const enforce = (before: Mode): void => {
    const { mode, attempts, health, protection } = config()
    if (mode !== before) observer.modeSet(mode, before)
    pools.use(attempts)
    prober.use(health)
    pressure.use(protection)
    readings.configured(config())
  }
  const hearing = new RegistryHearing(observer, rehearsals)
  const { registry, directory } = openIntent(initial, hearing, started, enrolments, (snapshot) => {
    const { mode } = config()
    if (settings.useMode(snapshot.mode)) enforce(mode)
    const gone = board.follow(snapshot)
    share.follow(snapshot)
    view = compileView(config(), snapshot, secret, peppers)
    rehearsals.follow(snapshot)
    prober.follow(snapshot)
    credentials.keep(snapshot.nodes.values())
    metrics.follow(snapshot)
    for (const node of gone) {
      pools.retire(node)
      metrics.forget(node)
    }
  })
  const shareParts = { config: initial, registry, board, metrics, logger }
  const share = await ProcessShare.open(role.quotas, shareParts, started)
  await directory.start(regionsOf(config()))
  await followCatalogues(config(), directory, observer, 1 / role.workers, started)
  share.start()
  const { sharing: quotaSharing } = share
  const own = ownReadings({ ...measured, directory, quotaSharing, settings: config }, started)
  const reload = (changed: Config): string[] => {
    const { mode } = config()
    // First: where the file can't be used, nothing changes.
    peppers = peppersOf(changed)
    const stale = settings.reload(changed)
    enforce(mode)
    directory.replaceRegions(regionsOf(config()))
    return stale
  }
  const fileMode = (): Mode => settings.fileMode
  const inThat = (mode: Mode): Config => settings.inMode(mode)
  const told = { config, fileMode, inMode: inThat, view: () => view, quotaWarnings: share.warnings }
  return { ...measured, measured: own, registry, directory, ...told, reload }
}

/** What this process tells of itself. */
function ownReadings(
  parts: Omit<OwnReadingsParts, 'rates' | 'protection' | 'metrics' | 'now' | 'wallNow'> &
    Pick<Control, 'metrics' | 'pressure'>,
  started: AsyncDisposableStack,
): OwnReadings {
  const { metrics, pressure: protection } = parts
  const rates = started.use(new Rates(systemClock, () => linesOf(metrics)))
  return new OwnReadings({ ...parts, rates, protection, now: () => performance.now(), wallNow: Date.now })
}

/** What measures the nodes, this process and its work, and whoever is told. */
function startMeasuring(config: () => Config, logger: Logger, role: Role, started: AsyncDisposableStack) {
  const readings: Readings = {
    connections: () => 0,
    waiting: () => 0,
    protect: () => {},
    configured: () => {},
  }
  const metrics = metricsOf(readings, () => ({ board, pressure }))
  const events = started.use(openEvents(config))
  const tell = role.tell ?? ((happening: Happening) => events.add(happening))
  const observer = new FanOut(metrics, started.use(new LogObserver(logger, tell)))
  observer.modeSet(config().mode, null)
  const own = { ms: 0 }
  const board = started.use(new Board(systemClock, nodeSettings(config()), observer, own))
  const rehearsals = started.use(rehearsalsOf(board, config, observer, own))
  const credentials = new Credentials({
    clientCertificates: () => config().clientCertificates,
    changed: (node) => pools.retire(node),
    refused: (detail) => observer.reloadRefused('certificate', detail),
  })
  const pressure = watchProcess(role.workers, config, readings, own, observer, started)
  const connector = new NodeConnector(credentials, enrolledMayReach(config))
  const pools = started.use(new Pools(config().attempts, connector))
  const prober = started.use(proberOf(board, nodeAsker(connector), config, 1 / role.workers))
  return { observer, events, board, rehearsals, pools, prober, metrics, pressure, readings, credentials }
}

const rehearsalsOf = (board: Board, config: () => Config, observer: Observer, own: OwnDelay): Rehearsals =>
  new Rehearsals({
    board,
    clock: systemClock,
    wallNow: exactWallNow,
    nodeSettings: () => nodeSettings(config()),
    probeSettings: () => config().health,
    own,
    observer,
  })

/** All that rates are measured of. */
function* linesOf({ requestLines, attemptLines }: Metrics): Generator<TallyLine> {
  yield* requestLines
  yield* attemptLines
}

function nodeSettings({ breaker, concurrency }: Config): NodeSettings {
  const slowStart = { windowMs: breaker.slowStartMs, initialShare: breaker.slowStartShare }
  return { breaker, slowStart, concurrency }
}

/** @param share This process's part of the load that nodes say they take. */
function proberOf(board: Board, ask: AskNode, config: () => Config, share: number): Prober {
  const probe = withLoadReports(
    httpProbe(ask, () => config().health),
    ask,
    board,
    () => ({ path: config().concurrency.loadPath, timeoutMs: config().health.timeoutMs, share }),
  )
  return new Prober({ board, clock: systemClock, probe, random: Math.random }, config().health)
}

function metricsOf(readings: Readings, measured: () => { board: Board; pressure: Pressure }): Metrics {
  return new Metrics(
    {
      nodes: () => nodeReadings(measured().board),
      connections: () => readings.connections(),
      waiting: () => readings.waiting(),
      protection: () => measured().pressure.level,
    },
    () => new ResidentWindow(residentWindowMs),
  )
}

/** Measures this process and tells the data plane when to save it. */
function watchProcess(
  workers: number,
  config: () => Config,
  readings: Readings,
  own: OwnDelay,
  observer: Observer,
  started: AsyncDisposableStack,
): Pressure {
  const parts = {
    clock: systemClock,
    loopDelay: started.use(new LoopDelay()),
    memoryShare: memoryShareOf(workers),
    connectionShare: () => readings.connections() / config().limits.connections,
    cpuMs: processCpuMs,
    read: ({ eventLoopDelayMs }: { eventLoopDelayMs: number }) => {
      own.ms = eventLoopDelayMs
    },
    changed: (level: ProtectionLevel, reason: string) => {
      readings.protect(level)
      observer.protectionChanged(protectionNames[level], reason)
    },
  }
  return started.use(new Pressure(parts, config().protection))
}

function* nodeReadings(board: Board) {
  const now = performance.now()
  for (const state of board.all()) {
    const { node, health, breaker, hold, notReadyFor, inFlight, limit, latency, ramp } = state
    yield { node, health, breaker, hold, notReadyFor, inFlight, limit, ramp, p99Ms: latency.p99(now) }
  }
}
