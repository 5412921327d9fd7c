// An edge wired by hand in front of one node, for tests that put a fault of our own into one of its parts.
import { systemClock } from '../../gateway/control/clock.ts'
import { snapshotOf } from '../../gateway/control/directory.ts'
import { noIntent } from '../../gateway/control/intent/read.ts'
import { Board } from '../../gateway/control/health/board.ts'
import { systemConnector } from './node-tls.ts'
import { regionsOf } from '../../gateway/control/regions.ts'
import { LastGood } from '../../gateway/edge/forward/last-good.ts'
import { Pools } from '../../gateway/edge/forward/pools.ts'
import { WaitingRoom } from '../../gateway/edge/forward/waiting-room.ts'
import { Edge } from '../../gateway/edge/listener.ts'
import { PublicServer } from '../../gateway/edge/server.ts'
import { compileView, type View } from '../../gateway/edge/view.ts'
import type { Observer } from '../../gateway/model/events.ts'
import { Budget } from '../../gateway/policy/retry.ts'
import { testConfig } from './gateway.ts'
import { listening } from './silent-observer.ts'

export interface EdgeByHand extends AsyncDisposable {
  readonly port: number
  /** Faults of our own that were told, in order. */
  readonly faults: readonly string[]
  /** Requests that the board believes to be open to the node. */
  inFlight(): number
}

export async function edgeByHand(
  nodeUrl: string,
  changes: { observer?: Partial<Observer>; view?: Partial<View> },
): Promise<EdgeByHand> {
  const config = testConfig([{ code: '610100', nodes: { 'xian-1': nodeUrl } }], '/nowhere')
  const { observer: quiet, events } = listening()
  const observer = { ...quiet, ...changes.observer }
  const slowStart = { windowMs: 0, initialShare: 1 }
  const board = new Board(
    systemClock,
    { breaker: config.breaker, slowStart, concurrency: config.concurrency },
    observer,
  )
  const snapshot = snapshotOf(1, regionsOf(config), noIntent)
  board.follow(snapshot)
  const pools = new Pools(config.attempts, systemConnector())
  const view = { ...compileView(config, snapshot, 'secret'), ...changes.view }
  const room = new WaitingRoom({
    settings: () => config.queue,
    mayStretch: () => false,
    now: () => performance.now(),
  })
  const edge = new Edge({
    board,
    pools,
    observer,
    retries: new Budget(1, 10),
    hedges: new Budget(0, 0),
    room,
    inFlight: new Map(),
    lastGood: new LastGood(1024, { now: () => performance.now(), wallNow: Date.now }),
    protection: { level: 0 },
    view: () => view,
  })
  const server = new PublicServer(config, null, edge, observer)
  return {
    port: await server.listen(),
    faults: events,
    inFlight: () => [...board.all()].reduce((sum, state) => sum + state.inFlight, 0),
    async [Symbol.asyncDispose]() {
      await server.close(0)
      await pools[Symbol.asyncDispose]()
      board[Symbol.dispose]()
    },
  }
}
