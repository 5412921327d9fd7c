// The vocabulary in which the operators' API is declared: paths, their methods, and what each takes and answers.
// Validation, authorisation and the OpenAPI document are all made of it.
import type { Request, Response } from 'express'
import { z } from 'zod'
import type { RegionId } from '../model/ids.ts'
import type { Operator, Permission } from '../model/operator.ts'
import { covers, permits, rolesFor } from '../policy/access.ts'
import { type FieldFault, Problem, type ProblemName } from './problem.ts'

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete'

/** What a handler is given. */
export interface Asked<Params, Query, Body> {
  readonly operator: Operator
  /** Address of the client. */
  readonly from: string
  readonly params: Params
  readonly query: Query
  readonly body: Body
  /** Version that the client saw last; `null` where it named none or any will do. */
  readonly ifMatch: number | null
  /** SHA-256 name of the client's Idempotency-Key, or `null`. */
  readonly idempotency: { readonly key: string; readonly bodyHash: string } | null
  /** Aborts when the client has gone. */
  readonly signal: AbortSignal
  /** Whether the operator would still be let in, for answers that go on. */
  readonly stillIn: () => Promise<boolean>
  readonly request: Request
}

export interface Answer {
  readonly status?: number
  /** Sent as JSON; `undefined` sends no body. */
  readonly body?: unknown
  /** Becomes the ETag. */
  readonly version?: number
  readonly headers?: Readonly<Record<string, string>>
  /** Writes the answer by itself, such as a stream. */
  readonly write?: (response: Response) => void | Promise<void>
}

export interface Operation<
  Params extends z.ZodObject = z.ZodObject,
  Query extends z.ZodObject = z.ZodObject,
  Body extends z.ZodType = z.ZodType,
> {
  readonly summary: string
  readonly description?: string
  /** Who may: an operator whose roles allow it, in whatever region. */
  readonly permission: Permission
  /** Name in the audit log, for whatever changes something: refused attempts are kept too. */
  readonly action?: string
  readonly params: Params
  readonly query: Query
  /** {@link noBody} where none is read. */
  readonly body: Body
  readonly answer: {
    readonly status: 200 | 201 | 202 | 204
    readonly schema?: z.ZodType
    readonly type?: string
    /** Other forms that it comes in, where the query asks for one. */
    readonly texts?: readonly string[]
  }
  /** Beside those that every operation may answer. */
  readonly problems?: readonly ProblemName[]
  /** The client must say which version it saw. */
  readonly needsMatch?: true
  /** Units of work of an operator's budget, about 5 ms each in a large federation; without it nothing is counted. */
  readonly work?: number
  /** A repeat under one Idempotency-Key gets the first answer. */
  readonly idempotent?: true
  readonly handle: (
    asked: Asked<z.output<Params>, z.output<Query>, z.output<Body>>,
  ) => Answer | Promise<Answer>
}

/** For paths without parameters, and queries that take nothing. */
export const none = z.strictObject({})
export const noBody = z.unknown()

/** What comes before parsing. */
export type Unread = Omit<Asked<unknown, unknown, unknown>, 'params' | 'query' | 'body'> & {
  readonly raw: { readonly params: unknown; readonly query: unknown; readonly body: unknown }
}

/** An operation whose types are closed over. */
export interface Declared {
  readonly docs: Omit<Operation, 'handle'>
  /** @throws {Problem} for a request that does not fit. */
  readonly run: (unread: Unread) => Promise<Answer>
}

export interface AdminRoute {
  /** Below `/api/v1`, with `:name` for parameters. */
  readonly path: string
  readonly methods: Readonly<Partial<Record<Method, Declared>>>
}

export function operation<Params extends z.ZodObject, Query extends z.ZodObject, Body extends z.ZodType>(
  declared: Operation<Params, Query, Body>,
): Declared {
  const { handle, ...docs } = declared
  return {
    docs,
    async run({ raw, ...rest }) {
      const params = declared.params.safeParse(raw.params)
      const query = declared.query.safeParse(raw.query)
      const body = declared.body.safeParse(raw.body)
      if (params.success && query.success && body.success) {
        return handle({ ...rest, params: params.data, query: query.data, body: body.data })
      }
      const inPath = faultsOf('path', params)
      const faults = [...inPath, ...faultsOf('query', query), ...faultsOf('body', body)]
      const name = inPath.length > 0 ? 'not-found' : 'invalid'
      throw new Problem(name, faults.map(inWords).join('; '), { errors: faults })
    },
  }
}

function faultsOf(where: FieldFault['in'], { error }: z.ZodSafeParseResult<unknown>): FieldFault[] {
  return (error?.issues ?? []).flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => ({
          in: where,
          field: [...issue.path, key].join('.'),
          detail: 'there is no such field',
        }))
      : [{ in: where, field: issue.path.join('.'), detail: issue.message }],
  )
}

const inWords = ({ in: where, field, detail }: FieldFault): string =>
  `${field === '' ? where : `${where} ${field}`}: ${detail}`

/**
 * Holds the operator to the permission in every one of these regions.
 * @throws {Problem} `forbidden`
 */
export function must(operator: Operator, permission: Permission, regions: readonly RegionId[]): void {
  if (!permits(operator, permission)) {
    throw new Problem(
      'forbidden',
      `this takes one of the roles ${rolesFor(permission).join(', ')}; yours: ${operator.roles.join(', ')}`,
    )
  }
  const outside = regions.filter((region) => !covers(operator.scope, region))
  if (outside.length > 0) {
    const scope = operator.scope === '*' ? '*' : operator.scope.join(', ')
    throw new Problem('forbidden', `region ${outside.join(', ')} is outside your scope, which is ${scope}`)
  }
}
