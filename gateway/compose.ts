// The only place that constructs and wires the gateway.
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { Config } from '../config/schema.ts'
import { adminApp } from './admin/app.ts'
import { systemClock } from './control/clock.ts'
import { Directory, snapshotOf } from './control/directory.ts'
import { Board } from './control/health/board.ts'
import { httpProbe } from './control/health/http-probe.ts'
import { Prober } from './control/health/prober.ts'
import { regionsOf } from './control/regions.ts'
import { openEmbeddedRegistry } from './control/registry/embedded.ts'
import type { Registry } from './control/registry/port.ts'
import { residentSecret } from './control/resident-secret.ts'
import { readCertificate, watchCertificate } from './edge/certificate.ts'
import { Pools } from './edge/forward/pools.ts'
import { Edge } from './edge/listener.ts'
import { PublicServer } from './edge/server.ts'
import { compileView, type View } from './edge/view.ts'
import type { Observer } from './model/events.ts'
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
  /** Takes over regions and routing settings. Returns the fields that changed but need a restart. */
  reload(config: Config): string[]
  reloadRefused(detail: string): void
  /** Fails readiness, drains, closes. Safe to call again. */
  close(): Promise<void>
}

/** @throws {UsageError} for files that can't be used; the system's error for a port that is taken. */
export async function startGateway(
  initial: Config,
  logger = createLogger(initial.logLevel, initial.logFormat),
): Promise<Gateway> {
  // What has started is stopped again, last first, if a later part can't start.
  await using started = new AsyncDisposableStack()
  const control = await startControl(initial, logger, started)
  const { board, pools, observer, metrics } = control
  const edge = new Edge({
    board,
    pools,
    observer,
    retries: new Budget(initial.attempts.retryBudget, initial.attempts.retryFloorPerSecond),
    hedges: new Budget(initial.hedging.budget, initial.hedging.floorPerSecond),
    view: control.view,
  })
  const open = await openPublic(initial, edge, observer, started)
  control.readings.connections = () => open.server.connections
  let closing: Promise<void> | null = null
  const admin = adminApp({
    notReady: () => (closing === null ? null : 'the gateway is draining before it stops'),
    warnings: () => (control.directory.lost === null ? [] : [`registry lost: ${control.directory.lost}`]),
    metrics: async () => ({
      contentType: metrics.registry.contentType,
      body: await metrics.registry.metrics(),
    }),
  })
  const adminPort = await openAdmin(initial, admin, observer, started)
  const parts = started.move()
  const close = async (): Promise<void> => {
    await open.server.close(initial.drainTimeoutMs)
    await parts.disposeAsync()
  }
  return {
    publicPort: open.port,
    adminPort,
    edge,
    registry: control.registry,
    logger,
    reload: control.reload,
    reloadRefused: (detail) => observer.reloadRefused('configuration', detail),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  }
}

interface Control {
  readonly registry: Registry
  readonly directory: Directory
  readonly board: Board
  readonly pools: Pools
  readonly observer: Observer
  readonly metrics: Metrics
  readonly readings: { connections: () => number }
  readonly view: () => View
  readonly reload: (config: Config) => string[]
}

/** Registry, directory, probes and the board: everything that makes the view that the edge reads. */
async function startControl(
  initial: Config,
  logger: Logger,
  started: AsyncDisposableStack,
): Promise<Control> {
  let config = initial
  const secret = await residentSecret(initial.resident.keyFile ?? null, join(initial.dataDir, 'resident.key'))
  const registry = started.use(
    openEmbeddedRegistry(initial.registry.file ?? join(initial.dataDir, 'chiyuan.db')),
  )
  const readings = { connections: () => 0 }
  const metrics = new Metrics({ nodes: () => nodeReadings(board), connections: () => readings.connections() })
  const observer = new FanOut(metrics, started.use(new LogObserver(logger)))
  const { breaker, health, attempts } = initial
  const slowStart = { windowMs: breaker.slowStartMs, initialShare: breaker.slowStartShare }
  const board = started.use(new Board(systemClock, { breaker, slowStart }, observer))
  const pools = started.use(new Pools(attempts))
  const probe = httpProbe(() => config.health)
  const prober = started.use(new Prober({ board, clock: systemClock, probe, random: Math.random }, health))
  let view = compileView(config, snapshotOf(0, [], new Map()), secret)
  const directory = started.use(
    new Directory({ registry, clock: systemClock, observer, wallNow: Date.now }, (snapshot) => {
      const gone = board.follow(snapshot)
      view = compileView(config, snapshot, secret)
      prober.follow(snapshot)
      for (const node of gone) {
        pools.retire(node)
        metrics.forget(node)
      }
    }),
  )
  await directory.start(regionsOf(config))
  const reload = (next: Config): string[] => {
    const stale = needsRestart(config, next)
    config = next
    prober.use(next.health)
    directory.replaceRegions(regionsOf(next))
    return stale
  }
  return { registry, directory, board, pools, observer, metrics, readings, view: () => view, reload }
}

async function openPublic(
  config: Config,
  edge: Edge,
  observer: Observer,
  started: AsyncDisposableStack,
): Promise<{ server: PublicServer; port: number }> {
  const files = config.public.tls
  const certificate = files === undefined ? null : await readCertificate(files)
  const server = new PublicServer(config, certificate, edge, observer)
  const port = await server.listen()
  started.defer(() => server.close(0))
  if (files !== undefined) {
    started.defer(
      watchCertificate(
        files,
        (changed) => server.useCertificate(changed),
        (detail) => observer.reloadRefused('certificate', detail),
      ),
    )
  }
  return { server, port }
}

async function openAdmin(
  config: Config,
  app: ReturnType<typeof adminApp>,
  observer: Observer,
  started: AsyncDisposableStack,
): Promise<number> {
  const files = config.admin.tls
  const server: Server | TlsServer =
    files === undefined ? createServer(app) : createTlsServer({ ...(await readCertificate(files)) }, app)
  const port = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen({ host: config.admin.host, port: config.admin.port }, () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : config.admin.port)
    })
  })
  started.defer(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  )
  if (files !== undefined && server instanceof TlsServer) {
    started.defer(
      watchCertificate(
        files,
        (changed) => server.setSecureContext({ ...changed }),
        (detail) => observer.reloadRefused('certificate', detail),
      ),
    )
  }
  return port
}

function* nodeReadings(board: Board) {
  const now = performance.now()
  for (const { node, health, breaker, hold, inFlight, latency, ramp } of board.all()) {
    yield { node, health, breaker, hold, inFlight, ramp, p99Ms: latency.p99(now) }
  }
}

/** Sections that are read once, at the start. */
const fixed = [
  'gatewayId',
  'dataDir',
  'public',
  'admin',
  'breaker',
  'limits',
  'registry',
  'drainTimeoutMs',
  'logLevel',
  'logFormat',
] as const

const needsRestart = (before: Config, after: Config): string[] =>
  fixed.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
