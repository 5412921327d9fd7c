// RFC 9457 problems: every error that a client of the operators' API sees. None quotes a secret or a stack.
import type { Response } from 'express'
import { z } from 'zod'

/** The vocabulary: each is `urn:chiyuan:problem:<name>`, with its status and what it means to a client. */
export const problems = {
  malformed: [400, 'The request is malformed'],
  unauthenticated: [401, 'Nobody that this gateway knows'],
  forbidden: [403, 'Not allowed to this operator'],
  'not-found': [404, 'There is no such resource'],
  'method-not-allowed': [405, 'The resource has no such method'],
  conflict: [409, 'It does not fit what is'],
  guarded: [409, 'A guard objects'],
  stale: [412, 'It was changed by somebody else'],
  'too-large': [413, 'The body is too large'],
  'unsupported-media-type': [415, 'The body is not JSON'],
  invalid: [422, 'Some fields are not usable'],
  'key-reused': [422, 'The Idempotency-Key came with another request'],
  'match-required': [428, 'If-Match is missing'],
  'too-many-attempts': [429, 'Too many attempts that were not good'],
  'too-many-requests': [429, 'Too much was asked at once'],
  internal: [500, 'The admin listener failed'],
  'not-ready': [503, 'The gateway is not ready'],
  unavailable: [503, 'What this takes can not be had now'],
} as const satisfies Record<string, readonly [number, string]>

export type ProblemName = keyof typeof problems

const fieldFault = z.object({
  in: z.enum(['body', 'path', 'query', 'header']),
  /** Dotted; empty where the whole is meant. */
  field: z.string(),
  detail: z.string(),
})
export type FieldFault = z.output<typeof fieldFault>

export const problemSchema = z
  .looseObject({
    type: z.string().describe('`urn:chiyuan:problem:<name>`; stable, for programs.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('What is wrong here, and what to do.'),
    errors: z.array(fieldFault).optional().describe('Each field that is not usable.'),
  })
  .meta({ id: 'Problem' })

/** Thrown by whoever handles a request, to be answered with a problem. */
export class Problem extends Error {
  override readonly name = 'Problem'
  readonly problem: ProblemName
  readonly errors: readonly FieldFault[]
  /** Members of this problem's own. */
  readonly extra: Readonly<Record<string, unknown>>
  readonly headers: Readonly<Record<string, string>>

  constructor(
    problem: ProblemName,
    detail: string,
    more: {
      readonly errors?: readonly FieldFault[]
      readonly extra?: Readonly<Record<string, unknown>>
      readonly headers?: Readonly<Record<string, string>>
    } = {},
  ) {
    super(detail)
    this.problem = problem
    this.errors = more.errors ?? []
    this.extra = more.extra ?? {}
    this.headers = more.headers ?? {}
  }

  get status(): number {
    return problems[this.problem][0]
  }
}

export function sendProblem(response: Response, problem: Problem): void {
  const [status, title] = problems[problem.problem]
  const body = {
    ...problem.extra,
    type: `urn:chiyuan:problem:${problem.problem}`,
    title,
    status,
    detail: problem.message,
    ...(problem.errors.length > 0 && { errors: problem.errors }),
  }
  response
    .status(status)
    .set({ 'Content-Type': 'application/problem+json; charset=utf-8', ...problem.headers })
    .send(JSON.stringify(body))
}
