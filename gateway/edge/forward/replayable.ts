// Requests that can be sent again: turned away while there is too much, joined to their like, or raced over the nodes.
import { reply } from '../error-reply.ts'
import { audienceOf, type Exchange } from '../exchange.ts'
import { coalescingKey } from './coalescing.ts'
import type { ForwardParts } from './parts.ts'
import { Race } from './race.ts'
import { shedReason } from './shed.ts'
import type { Body } from './tries.ts'

/** Sends `exchange` on. */
export function forwardReplayable(exchange: Exchange, body: Body, parts: ForwardParts): void {
  if (exchange.resident) parts.observer.residentSeen(exchange.home, exchange.key, exchange.startedAt)
  const key = body.bytes === null && exchange.routeClass.coalesce ? coalescingKey(exchange) : null
  // To share an answer takes nobody's place.
  if (key !== null && joined(key, exchange, parts)) return
  if (isShed(exchange, parts)) return
  parts.observer.requestBegan(exchange.home)
  const race = new Race(exchange, body, parts)
  if (key !== null) {
    parts.inFlight.set(key, race)
    race.whenSettled(() => {
      if (parts.inFlight.get(key) === race) parts.inFlight.delete(key)
    })
  }
  race.start()
}

function joined(key: string, exchange: Exchange, { inFlight, observer }: ForwardParts): boolean {
  const race = inFlight.get(key)
  if (race === undefined || race.answered) return false
  observer.requestBegan(exchange.home)
  observer.requestCoalesced(exchange.home, exchange.routeClass.name)
  return race.join(exchange)
}

/** Turns the request away at once where its class has to stand back, or it could not be served in time. */
function isShed(exchange: Exchange, parts: ForwardParts): boolean {
  const reason = shedReason(exchange, parts)
  if (reason === null) return false
  const { home, routeClass, response, startedAt } = exchange
  parts.observer.requestBegan(home)
  parts.observer.requestShed(home, routeClass.name, reason)
  reply(response, 'overloaded', audienceOf(exchange))
  parts.observer.requestEnded(home, null, 'shed', performance.now() - startedAt)
  return true
}
