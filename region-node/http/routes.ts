// The vocabulary in which a route is declared: one path, its methods, 405 for the rest.
import express from 'express'
import type { Express, Request, RequestHandler, Response } from 'express'
import type { z } from 'zod'
import { ProblemError } from './problem.ts'
import type { ProblemStatus } from './problem.ts'

export type Handle = (req: Request, res: Response) => void | Promise<void>

/** What the OpenAPI document says of one method. */
export interface Operation {
  readonly summary: string
  readonly query?: z.ZodObject
  readonly body?: z.ZodType
  readonly answer: z.ZodType
  /** Media type of the answer; JSON unless told. */
  readonly type?: string
  /** Of the answer; 200 unless told. */
  readonly status?: 200 | 201
  readonly problems: readonly ProblemStatus[]
  readonly idempotencyKey?: 'required' | 'optional'
  readonly terminalsOnly?: true
}

export interface Route {
  readonly path: string
  /** One for each method that there is. */
  readonly docs: { readonly get?: Operation; readonly post?: Operation }
  /** Runs before anything of the body is read. @throws {ProblemError} The request is not let in. */
  readonly authorize?: (req: Request) => void
  readonly get?: Handle
  /** Is given the JSON body, at most 64 KiB, as `req.body`. */
  readonly post?: Handle
}

const BODY_LIMIT_BYTES = 64 * 1024

// inflate: false, so a small compressed body can't become a big one in memory.
const parseBody = express.json({ limit: BODY_LIMIT_BYTES, inflate: false, strict: false })

export function addRoute(app: Express, { path, authorize, get, post }: Route): void {
  const route = app.route(path)
  const first = authorize ? [letIn(authorize)] : []
  if (get) route.get(...first, get)
  if (post) route.post(...first, requireJson, parseBody, post)
  const allowed = [...(get ? ['GET', 'HEAD'] : []), ...(post ? ['POST'] : [])].join(', ')
  route.all(() => {
    throw new ProblemError({
      status: 405,
      code: 'method-not-allowed',
      title: 'Method not allowed',
      detail: `This resource answers ${allowed}.`,
      // https://www.rfc-editor.org/rfc/rfc9110#section-15.5.6
      headers: { allow: allowed },
    })
  })
}

const letIn =
  (authorize: (req: Request) => void): RequestHandler =>
  (req, _res, next) => {
    authorize(req)
    next()
  }

const requireJson: RequestHandler = (req, _res, next) => {
  if (req.is('application/json') !== false) return next()
  throw new ProblemError({
    status: 415,
    code: 'unsupported-media-type',
    title: 'Unsupported media type',
    detail: 'Send application/json, without Content-Encoding.',
  })
}
