// What forwarding is made of; put together once, in compose.
import type { Board } from '../../control/health/board.ts'
import type { Observer } from '../../model/events.ts'
import type { Budget } from '../../policy/retry.ts'
import type { LastGood } from './last-good.ts'
import type { Pools } from './pools.ts'
import type { Race } from './race.ts'
import type { WaitingRoom } from './waiting-room.ts'

export interface ForwardParts {
  readonly board: Board
  readonly pools: Pools
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
