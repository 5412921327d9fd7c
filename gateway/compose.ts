// The only place that constructs and wires the gateway: this file and the folder of its name.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Config } from '../config/schema.ts'
import { adminApp, type AdminParts } from './admin/app.ts'
import { openAdmin } from './admin/open.ts'
import { aloneRole, type Control, type Role, startControl } from './compose/control.ts'
import { drillsMeasured } from './compose/drills.ts'
import { membershipWarnings, openMembership } from './compose/membership.ts'
import { openOperators, type Operators, ownState } from './compose/operators.ts'
import { openVerifier } from './compose/verification.ts'
import { exactWallNow } from './control/clock.ts'
import type { Membership } from './control/membership/membership.ts'
import type { EventLog } from './control/events/event-log.ts'
import type { Registry } from './control/registry/port.ts'
import { Ways } from './edge/drills/ways.ts'
import type { ForwardParts } from './edge/forward/parts.ts'
import { LastGood } from './edge/forward/last-good.ts'
import { WaitingRoom } from './edge/forward/waiting-room.ts'
import { Edge } from './edge/listener.ts'
import { openPublic } from './edge/open.ts'
import { Budget } from './policy/retry.ts'
import type { Measured } from './model/readings.ts'
import type { Snapshot } from './model/snapshot.ts'
import { createLogger } from './telemetry/log.ts'
import type { Metrics } from './telemetry/metrics.ts'

export interface Gateway extends AsyncDisposable {
  readonly publicPort: number
  readonly adminPort: number
  readonly edge: Edge
  readonly registry: Registry
  /** The access token that was made for the first admin, to be shown once; `null` where somebody has one already. */
  readonly firstToken: string | null
  readonly logger: Logger
  /** What operators are told. */
  readonly operators: AdminParts
  readonly metrics: Metrics['registry']
  /** What this process measures. */
  readonly measured: Measured
  /** What operators are to see; a worker's are told to its primary. */
  readonly events: EventLog
  /** The one in force. */
  readonly snapshot: () => Snapshot
  readonly residents: Metrics['residents']
  /** The drills that this process takes part in. */
  readonly rehearsals: Control['rehearsals']
  /**
   * Takes over regions, routing settings and peppers. Returns the fields that changed but need a restart.
   * @throws {UsageError} for a pepper file that can't be used; then nothing has changed.
   */
  reload(config: Config): string[]
  reloadRefused(detail: string): void
  /** Fails readiness, drains, closes. Safe to call again. */
  close(): Promise<void>
}

/** @throws {UsageError} for files that can't be used; the system's error for a port that is taken. */
export async function startGateway(
  initial: Config,
  logger = createLogger(initial.logLevel, initial.logFormat),
  role: Role = aloneRole,
): Promise<Gateway> {
  // What has started is stopped again, last first, if a later part can't start.
  await using started = new AsyncDisposableStack()
  if (role.operators) ownState(initial, started)
  const membership = role.operators ? openMembership(initial, logger, started) : null
  const control = await startControl(initial, logger, role, started)
  const { observer, metrics } = control
  const edge = dataPlane(control, started)
  const open = await openPublic(initial, edge, observer, started)
  control.readings.connections = () => open.server.connections
  control.readings.protect = (level) => open.server.protect(level)
  let closing: Promise<void> | null = null
  const operators: AdminParts = {
    notReady: () => (closing === null ? null : 'the gateway is draining before it stops'),
    warnings: () => [
      ...control.directory.warnings,
      ...control.quotaWarnings(),
      ...(plane?.warnings() ?? []),
      ...membershipWarnings(membership, control.directory),
    ],
    metrics: async () => ({
      contentType: metrics.registry.contentType,
      body: await metrics.registry.metrics(),
    }),
  }
  const plane =
    role.operators && initial.admin.api ? await planeOf(initial, control, membership, started) : null
  const app = adminApp(operators, plane?.api ?? null)
  const adminPort = role.operators ? await openAdmin(initial, app, observer, started) : 0
  membership?.join({ publicPort: open.port, adminPort, notReady: () => operators.notReady() })
  const parts = started.move()
  const close = async (): Promise<void> => {
    // Waited for where it is disposed of.
    void membership?.leave()
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
    firstToken: plane?.firstToken ?? null,
    logger,
    operators,
    metrics: metrics.registry,
    measured: control.measured,
    events: control.events,
    snapshot: () => control.view().snapshot,
    residents: metrics.residents,
    rehearsals: control.rehearsals,
    reload: control.reload,
    reloadRefused: (detail) => observer.reloadRefused('configuration', detail),
    close: () => (closing ??= close()),
    [Symbol.asyncDispose]: () => (closing ??= close()),
  }
}

const planeOf = (
  initial: Config,
  control: Control,
  membership: Membership | null,
  started: AsyncDisposableStack,
): Promise<Operators> =>
  openOperators(
    {
      ...control,
      peers: () => membership?.peers ?? null,
      drills: drillsMeasured(control.rehearsals),
      verifier: openVerifier(control.config, control.observer, started),
      oidc: initial.admin.oidc,
    },
    started,
  )

/** The edge with what it forwards by. */
function dataPlane(control: Control, started: AsyncDisposableStack): Edge {
  const { board, pools, observer } = control
  const { attempts, hedging, lastGood } = control.config()
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
  const forward: ForwardParts = {
    board,
    pools,
    observer,
    retries,
    hedges,
    room,
    inFlight: new Map(),
    lastGood: new LastGood(lastGood.memoryBytes, { now: () => performance.now(), wallNow: Date.now }),
    protection: control.pressure,
  }
  const ways = started.use(new Ways({ forward, config: control.config, wallNow: exactWallNow }))
  ways.follow(control.rehearsals.inForce)
  control.rehearsals.changed = (inForce) => ways.follow(inForce)
  const edge = new Edge({ ...forward, ways, view: control.view })
  control.readings.configured = (config) => {
    retries.use(config.attempts.retryBudget, config.attempts.retryFloorPerSecond)
    hedges.use(config.hedging.budget, config.hedging.floorPerSecond)
  }
  return edge
}
