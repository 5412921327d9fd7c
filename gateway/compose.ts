// The only place that constructs and wires the gateway.
import { setTimeout as sleep } from 'node:timers/promises'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { needsRestart, takenOver } from '../config/restart.ts'
import type { Config } from '../config/schema.ts'
import { adminApp, type AdminParts } from './admin/app.ts'
import { openAdmin } from './admin/open.ts'
import { systemClock } from './control/clock.ts'
import { Directory, snapshotOf } from './control/directory.ts'
import { Board } from './control/health/board.ts'
import type { NodeSettings, OwnDelay } from './control/health/node-state.ts'
import { withLoadReports } from './control/health/load-report.ts'
import { httpProbe } from './control/health/http-probe.ts'
import { Prober } from './control/health/prober.ts'
import { LoopDelay } from './control/loop-delay.ts'
import { peppersOf } from './control/pepper-file.ts'
import { Pressure, processCpuMs } from './control/pressure.ts'
import { memoryShareOf } from './control/process-memory.ts'
import { QuotaKeeper } from './control/quota-keeper.ts'
import { regionsOf } from './control/regions.ts'
import { openEmbeddedRegistry } from './control/registry/embedded.ts'
import type { Registry } from './control/registry/port.ts'
import { residentSecret } from './control/resident-secret.ts'
import { LastGood } from './edge/forward/last-good.ts'
import { Pools } from './edge/forward/pools.ts'
import { WaitingRoom } from './edge/forward/waiting-room.ts'
import { Edge } from './edge/listener.ts'
import { openPublic } from './edge/open.ts'
import { compileView, type View } from './edge/view.ts'
import type { Observer } from './model/events.ts'
import type { QuotaShares } from './model/quota-shares.ts'
import { type ProtectionLevel, protectionNames } from './policy/protection.ts'
import { ResidentWindow } from './policy/resident-window.ts'
import { Budget } from './policy/retry.ts'
import { FanOut } from './telemetry/fan-out.ts'
import { createLogger, LogObserver } from './telemetry/log.ts'
import { Metrics } from './telemetry/metrics.ts'

export interface Gateway extends AsyncDisposable {
  readonly publicPort: number
  readonly adminPort: number
  readonly edge: Edge
  readonly registry: Registry
  readonly logger: Logger
  /** What operators are told. */
  readonly operators: AdminParts
  readonly metrics: Metrics['registry']
  readonly residents: Metrics['residents']
  /**
   * Takes over regions, routing settings and peppers. Returns the fields that changed but need a restart.
   * @throws {UsageError} for a pepper file that can't be used; then nothing has changed.
   */
  reload(config: Config): string[]
  reloadRefused(detail: string): void
  /** Fails readiness, drains, closes. Safe to call again. */
  close(): Promise<void>
}

/** What differs where a gateway is one of several workers of a primary. */
export interface Role {
  /** Open the operators' listener; without it `adminPort` is 0. */
  readonly operators: boolean
  /** Its part of donors' pledges; `null` where it has all of them. */
  readonly quotas: QuotaShares | null
  /** Processes that share the work, this one included. */
  readonly workers: number
}

/** @throws {UsageError} for files that can't be used; the system's error for a port that is taken. */
export async function startGateway(
  initial: Config,
  logger = createLogger(initial.logLevel, initial.logFormat),
  role: Role = { operators: true, quotas: null, workers: 1 },
): Promise<Gateway> {
  // What has started is stopped again, last first, if a later part can't start.
  await using started = new AsyncDisposableStack()
  const control = await startControl(initial, logger, role, started)
  const { observer, metrics } = control
  const { edge, useBudgets } = dataPlane(initial, control, started)
  const open = await openPublic(initial, edge, observer, started)
  control.readings.connections = () => open.server.connections
  control.readings.protect = (level) => open.server.protect(level)
  let closing: Promise<void> | null = null
  const operators: AdminParts = {
    notReady: () => (closing === null ? null : 'the gateway is draining before it stops'),
    warnings: () => (control.directory.lost === null ? [] : [`registry lost: ${control.directory.lost}`]),
    metrics: async () => ({
      contentType: metrics.registry.contentType,
      body: await metrics.registry.metrics(),
    }),
  }
  const adminPort = role.operators ? await openAdmin(initial, adminApp(operators), observer, started) : 0
  const parts = started.move()
  const close = async (): Promise<void> => {
    // Of several workers the primary has given it.
    if (role.operators) await sleep(initial.drainNoticeMs)
    await open.server.close(initial.drainTimeoutMs)
    await parts.disposeAsync()
  }
  return {
    publicPort: open.port,
    adminPort,
    edge,
    registry: control.registry,
    logger,
    operators,
    metrics: metrics.registry,
    residents: metrics.residents,
    reload: (next) => {
      const stale = control.reload(next)
      useBudgets(next)
      return stale
    },
    reloadRefused: (detail) => observer.reloadRefused('configuration', detail),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  }
}

/** The edge with what it forwards by. `useBudgets` takes over what a reload changed of retries and hedges. */
function dataPlane(
  { attempts, hedging, lastGood }: Config,
  control: Control,
  started: AsyncDisposableStack,
): { edge: Edge; useBudgets: (config: Config) => void } {
  const { board, pools, observer } = control
  const room = started.use(
    new WaitingRoom({
      settings: () => control.config().queue,
      mayStretch: (home, now) => board.stretch(home, now),
      now: () => performance.now(),
    }),
  )
  control.readings.waiting = () => room.size
  const retries = new Budget(attempts.retryBudget, attempts.retryFloorPerSecond)
  const hedges = new Budget(hedging.budget, hedging.floorPerSecond)
  const edge = new Edge({
    board,
    pools,
    observer,
    retries,
    hedges,
    room,
    inFlight: new Map(),
    lastGood: new LastGood(lastGood.memoryBytes, { now: () => performance.now(), wallNow: Date.now }),
    protection: control.pressure,
    view: control.view,
  })
  const useBudgets = (config: Config): void => {
    retries.use(config.attempts.retryBudget, config.attempts.retryFloorPerSecond)
    hedges.use(config.hedging.budget, config.hedging.floorPerSecond)
  }
  return { edge, useBudgets }
}

/** Over which residents are counted, ms. */
export const residentWindowMs = 60_000

interface Control {
  readonly registry: Registry
  readonly directory: Directory
  readonly board: Board
  readonly pools: Pools
  readonly observer: Observer
  readonly metrics: Metrics
  readonly pressure: Pressure
  readonly readings: Readings
  /** The configuration in force. */
  readonly config: () => Config
  readonly view: () => View
  readonly reload: (config: Config) => string[]
}

/** What control asks and tells the data plane, which is there only later. */
interface Readings {
  connections: () => number
  waiting: () => number
  protect: (level: ProtectionLevel) => void
}

/** Registry, directory, probes and the board: everything that makes the view that the edge reads. */
async function startControl(
  initial: Config,
  logger: Logger,
  role: Role,
  started: AsyncDisposableStack,
): Promise<Control> {
  let config = initial
  let peppers = peppersOf(initial)
  const secret = await residentSecret(initial.resident.keyFile ?? null, join(initial.dataDir, 'resident.key'))
  const registry = started.use(openRegistry(initial))
  const readings: Readings = { connections: () => 0, waiting: () => 0, protect: () => {} }
  const metrics = metricsOf(readings, () => ({ board, pressure }))
  const observer = new FanOut(metrics, started.use(new LogObserver(logger)))
  observer.modeSet(initial.mode, null)
  const own = { ms: 0 }
  const board = started.use(new Board(systemClock, nodeSettings(initial), observer, own))
  const pressure = watchProcess(role.workers, () => config, readings, own, observer, started)
  const pools = started.use(new Pools(initial.attempts))
  const prober = started.use(proberOf(board, () => config, 1 / role.workers))
  let view = compileView(config, snapshotOf(0, [], new Map()), secret, peppers)
  const directory = started.use(
    new Directory({ registry, clock: systemClock, observer, wallNow: Date.now }, (snapshot) => {
      const gone = board.follow(snapshot)
      view = compileView(config, snapshot, secret, peppers)
      prober.follow(snapshot)
      metrics.follow(snapshot)
      for (const node of gone) {
        pools.retire(node)
        metrics.forget(node)
      }
    }),
  )
  await directory.start(regionsOf(config))
  if (role.quotas !== null) started.use(new QuotaKeeper(board, role.quotas, systemClock))
  const reload = (changed: Config): string[] => {
    const stale = needsRestart(config, changed)
    const next = takenOver(changed, initial)
    // First: where the file can't be used, nothing changes.
    peppers = peppersOf(next)
    pools.use(next.attempts)
    if (next.mode !== config.mode) observer.modeSet(next.mode, config.mode)
    config = next
    prober.use(next.health)
    pressure.use(next.protection)
    directory.replaceRegions(regionsOf(next))
    return stale
  }
  return {
    registry,
    directory,
    board,
    pools,
    observer,
    metrics,
    pressure,
    readings,
    config: () => config,
    view: () => view,
    reload,
  }
}

const openRegistry = ({ registry, dataDir }: Config): Registry =>
  openEmbeddedRegistry(registry.file ?? join(dataDir, 'chiyuan.db'))

function nodeSettings({ breaker, concurrency }: Config): NodeSettings {
  const slowStart = { windowMs: breaker.slowStartMs, initialShare: breaker.slowStartShare }
  return { breaker, slowStart, concurrency }
}

/** @param share This process's part of the load that nodes say they take. */
function proberOf(board: Board, config: () => Config, share: number): Prober {
  const probe = withLoadReports(
    httpProbe(() => config().health),
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
  for (const { node, health, breaker, hold, inFlight, limit, latency, ramp } of board.all()) {
    yield { node, health, breaker, hold, inFlight, limit, ramp, p99Ms: latency.p99(now) }
  }
}
