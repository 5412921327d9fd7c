// Whether a request is turned away at once: its class has to stand back, or it could not be served in time.
import type { ShedReason } from '../../model/events.ts'
import { isServing } from '../../policy/eligibility.ts'
import { sheds } from '../../policy/shedding.ts'
import type { Exchange } from '../exchange.ts'
import type { ForwardParts } from './parts.ts'

/** Why it is turned away, or `null`. */
export function shedReason(exchange: Exchange, parts: ForwardParts): ShedReason | null {
  const { home, routeClass, startedAt } = exchange
  if (parts.protection.level >= 2 && routeClass.name === 'deferrable') return 'protection'
  const overload = parts.room.overload(home, startedAt)
  if (overload === 0) return null
  if (sheds(routeClass.name, isAllBorrowed(exchange, parts), overload, Math.random())) return 'class'
  return parts.room.isHopeless(home, routeClass.name, startedAt) ? 'queue' : null
}

/** Nothing of the home's own serves: whatever this request gets is taken from other regions' residents. */
function isAllBorrowed({ home }: Exchange, { board }: ForwardParts): boolean {
  const [nearest] = home.levels
  if (nearest === undefined || nearest.name !== 'local') return true
  return !nearest.nodes.some((node) => {
    const state = board.state(node)
    return state !== undefined && isServing(state, home.region.code)
  })
}
