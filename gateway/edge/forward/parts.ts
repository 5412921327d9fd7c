// What forwarding is made of; put together once, in compose.
import type { Socket } from 'node:net'
import type { Dispatcher } from 'undici'
import type { NodeBoard } from '../../control/health/board.ts'
import type { NodeState, Ticket } from '../../control/health/node-state.ts'
import type { Observer } from '../../model/events.ts'
import type { CodeNode } from '../../model/region.ts'
import type { Budget } from '../../policy/retry.ts'
import type { Attempt } from './attempt.ts'
import type { LastGood } from './last-good.ts'
import type { Race } from './race.ts'
import type { WaitingRoom } from './waiting-room.ts'

/** Sends attempts to their nodes. */
export interface Dispatching {
  dispatch(node: CodeNode, options: Dispatcher.DispatchOptions, attempt: Attempt): void
  /** A connection for one stream. Rejects where there is none in time. */
  connect(node: CodeNode, at: StreamPlace): Promise<Socket>
}

/** Where a stream's try is counted. */
export interface StreamPlace {
  readonly state: NodeState
  readonly ticket: Ticket
}

export interface ForwardParts {
  readonly board: NodeBoard
  readonly pools: Dispatching
  readonly observer: Observer
  readonly retries: Budget
  readonly hedges: Budget
  /** Where requests wait while every level is full. */
  readonly room: WaitingRoom
  /** Requests that others may join, by what makes them the same. */
  readonly inFlight: Map<string, Race>
  readonly lastGood: LastGood
  /** How far the process protects itself: from 1 no hedges, from 2 nothing deferrable. */
  readonly protection: { readonly level: number }
}
