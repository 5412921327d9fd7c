// One request on its way through the stages: what is known of it once it has a home.
import type { Home } from '../model/snapshot.ts'
import type { Classified } from '../policy/classify.ts'
import type { Audience } from './error-reply.ts'
import type { PublicRequest, PublicResponse } from './http.ts'
import type { Peer } from './peers.ts'
import type { RequestHead } from './request-head.ts'
import type { HideInBody } from './tokens/body.ts'
import type { View } from './view.ts'

export interface Exchange {
  readonly request: PublicRequest
  readonly response: PublicResponse
  readonly view: View
  readonly home: Home
  readonly method: string
  /** Path and query as the node shall see it, without its own base path. */
  readonly path: string
  /** What the body goes through before it goes on; `null` where it holds no document numbers. */
  readonly hideInBody: HideInBody | null
  /** What was stripped from the path. */
  readonly prefix: string
  /** Host that the resident asked for, with its port. */
  readonly publicHost: string
  readonly head: RequestHead
  readonly peer: Peer
  /** Keyed hash of the resident, or a random number. */
  readonly key: number
  /** Whether `key` stands for a resident. */
  readonly resident: boolean
  readonly routeClass: Classified
  readonly repeatable: boolean
  readonly requestId: string
  readonly traceparent: string
  /** Monotonic ms. */
  readonly startedAt: number
}

/** Whom an answer of ours is for. */
export const audienceOf = ({ method, head, requestId }: Exchange): Audience => ({
  method,
  accept: head.accept,
  acceptLanguage: head.acceptLanguage,
  requestId,
})
