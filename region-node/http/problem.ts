// RFC 9457 problems: every error that a client sees. They never quote an id, a path, SQL or a stack.
import type { ServerResponse } from 'node:http'
import type { SigningFault } from '../authority/authority.ts'
import { sendText } from './reply.ts'

/** One invalid part of a request. */
export interface FieldFault {
  readonly in: 'body' | 'path' | 'query' | 'header'
  /** The field's name, dotted when nested; empty when the body as a whole is meant. */
  readonly field: string
  readonly detail: string
}

// The vocabulary of problem types; each is `urn:chiyuan:problem:<code>`.
export type ProblemCode =
  | 'invalid-input'
  | 'malformed-json'
  | 'body-too-large'
  | 'unsupported-media-type'
  | 'unknown-route'
  | 'unknown-resident'
  | 'unknown-terminal'
  | 'method-not-allowed'
  | 'idempotency-key-reused'
  | 'home-only'
  | 'no-signing-key'
  | 'undelegated'
  | 'copy-not-fit'
  | 'agreements-unknown'
  | 'place-lost'
  | 'not-the-writer'
  | 'unknown-peer'
  | 'no-agreement'
  | 'fenced'
  | 'not-published'
  | 'overloaded'
  | 'not-ready'
  | 'store-unavailable'
  | 'internal'

/** What a client may take each status for. */
export const STATUS_MEANINGS = {
  400: 'A URL, a header or JSON that is malformed',
  401: 'Not a terminal that this node knows',
  404: 'No such resident here',
  409: "Only the resident's home region takes this",
  413: 'More than 64 KiB',
  415: 'Not application/json, or compressed',
  421: 'This node is not to answer for that home; another is',
  422: 'A body that does not fit, or a key that came with another request',
  503: 'Full, not ready, or without its store or a key',
} as const

export type ProblemStatus = keyof typeof STATUS_MEANINGS

export interface Problem {
  readonly status: number
  readonly code: ProblemCode
  readonly title: string
  readonly detail?: string
  readonly errors?: readonly FieldFault[]
  /** Members of the problem's own, such as which readiness check failed. */
  readonly extra?: Readonly<Record<string, unknown>>
  readonly headers?: Readonly<Record<string, string>>
}

/** Thrown by a route to answer with a problem. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError'
  readonly problem: Problem
  constructor(problem: Problem) {
    super(problem.title)
    this.problem = problem
  }
}

/** https://www.rfc-editor.org/rfc/rfc9457#section-3 */
export function sendProblem(res: ServerResponse, problem: Problem): void {
  const { status, code, title, detail, errors, extra, headers } = problem
  const body = { type: `urn:chiyuan:problem:${code}`, title, status, detail, errors, ...extra }
  sendText(res, status, JSON.stringify(body), 'application/problem+json', headers)
}

export const unknownResident = (): ProblemError =>
  new ProblemError({
    status: 404,
    code: 'unknown-resident',
    title: 'Unknown resident',
    detail: 'This node holds no such resident.',
  })

/**
 * `undelegated` is 421, so that a gateway asks another region and takes this node neither for broken nor for full: its
 * own residents are served (RFC 9110 section 15.5.20). Without a key nobody is, so that is 503.
 */
export const cannotSign = (reason: SigningFault, homeRegion: string): ProblemError =>
  new ProblemError(
    reason === 'undelegated'
      ? {
          status: 421,
          code: 'undelegated',
          title: 'This region may not sign for that home now',
          detail: `The trust list has no agreement by which it may sign for residents of ${homeRegion} at this time.`,
          extra: { divisionCode: homeRegion },
        }
      : {
          status: 503,
          code: 'no-signing-key',
          title: 'This node has no key to sign with',
          detail:
            reason === 'unlisted'
              ? 'Its key is not in its trust list: the trust root puts it there before anything is printed.'
              : 'Its operator gives it one with --keys; codes of other nodes are as good as ever.',
        },
  )

/** Nothing was done with the request: another node can be asked (RFC 9110 section 15.5.20). */
export const copyNotFit = (homeRegion: string): ProblemError =>
  new ProblemError({
    status: 421,
    code: 'copy-not-fit',
    title: 'The copy of that home is not fit to answer from',
    detail: `What this node holds of ${homeRegion} is not whole, too old, or without an agreement; /readyz says which.`,
    extra: { divisionCode: homeRegion },
  })

/** Its region's writer takes this, and nothing was done with it here: a gateway asks that node. */
export const notTheWriter = (homeRegion: string): ProblemError =>
  new ProblemError({
    status: 421,
    code: 'not-the-writer',
    title: 'Another node of this region takes this',
    detail: 'This node follows its region’s writer. Send it there.',
    extra: { divisionCode: homeRegion },
  })

// Spread over three seconds, lest those refused together come back together.
export const retryAfter = (): Record<string, string> => ({
  'retry-after': String(1 + Math.floor(Math.random() * 3)),
})
