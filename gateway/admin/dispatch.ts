// From an HTTP request to a declared operation and back: who asks, may they, what do they ask, what is answered.
import { createHash } from 'node:crypto'
import express, { type Express, type Request, type RequestHandler, type Response } from 'express'
import { withoutSecrets } from '../control/access/secret-text.ts'
import { RegistryUnavailable } from '../control/registry/port.ts'
import type { AuditEntry } from '../model/audit.ts'
import { errorText } from '../model/errors.ts'
import type { Operator } from '../model/operator.ts'
import type { WorkBudget } from '../policy/work-budget.ts'
import { authenticate, type Authenticated, type AuthenticateParts, sourceOf } from './authenticate.ts'
import { type Desk, idempotencyName } from './desk.ts'
import { type AdminRoute, type Answer, type Declared, must, noBody } from './operation.ts'
import { Problem, sendProblem } from './problem.ts'
import { mustBeReadable } from './readable.ts'

export const apiRoot = '/api/v1'
/** Room for a chain of certificates. */
export const bodyBytesAtMost = 262_144

export interface DispatchParts extends AuthenticateParts {
  readonly desk: Desk
  readonly budget: WorkBudget
  /** Keeps an attempt that was refused, or counts it where that would fill the log. */
  note(entry: AuditEntry): Promise<void>
  /** A fault of our own. */
  fault(cause: unknown): void
}

export function mountRoutes(app: Express, routes: readonly AdminRoute[], parts: DispatchParts): void {
  for (const { path, methods } of routes) {
    const route = app.route(apiRoot + path)
    const names: string[] = []
    for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
      const declared = methods[method]
      if (declared === undefined) continue
      route[method](answering(declared, parts))
      names.push(method.toUpperCase(), ...(method === 'get' ? ['HEAD'] : []))
    }
    route.all((request, response) => {
      const allowed = names.join(', ')
      const detail = `${request.method} is not one of ${allowed}`
      sendProblem(response, new Problem('method-not-allowed', detail, { headers: { Allow: allowed } }))
    })
  }
}

const answering =
  (declared: Declared, parts: DispatchParts): RequestHandler =>
  async (request, response) => {
    let operator: Operator | null = null
    try {
      const admitted = await authenticate(request, parts)
      operator = admitted.operator
      must(operator, declared.docs.permission, [])
      mustBeAffordable(declared, operator, parts)
      const answer = await asked(declared, admitted, request, response, parts)
      await send(response, answer, declared.docs.answer.status)
    } catch (cause) {
      const problem = problemOf(cause)
      if (problem === null) parts.fault(cause)
      const told = problem ?? new Problem('internal', 'See the gateway’s log; residents are not affected')
      await noteRefusal(declared, operator, request, told, parts)
      if (response.headersSent) response.destroy()
      else sendProblem(response, told)
    }
  }

/** @throws {Problem} `too-many-requests` */
function mustBeAffordable({ docs }: Declared, { id }: Operator, parts: DispatchParts): void {
  const waitMs = docs.work === undefined ? 0 : parts.budget.take(id, docs.work, parts.now())
  if (waitMs === 0) return
  throw new Problem(
    'too-many-requests',
    'this token asks for more than the process that serves residents can spare; ask less often',
    { headers: { 'Retry-After': String(Math.ceil(waitMs / 1000)) } },
  )
}

async function asked(
  { docs, run }: Declared,
  { operator, stillIn }: Pick<Authenticated, 'operator' | 'stillIn'>,
  request: Request,
  response: Response,
  parts: DispatchParts,
): Promise<Answer> {
  mustBeReadable(request.params, 'path')
  mustBeReadable(request.query, 'query')
  const body = docs.body === noBody ? undefined : await bodyOf(request, response)
  mustBeReadable(body, 'body')
  const idempotency = docs.idempotent === true ? idempotencyOf(request, operator, body) : null
  const first = await parts.desk.repeated({ idempotency })
  if (first !== null) return first
  const gone = new AbortController()
  response.once('close', () => gone.abort())
  return run({
    operator,
    from: sourceOf(request),
    ifMatch: docs.needsMatch === true ? versionOf(request) : null,
    idempotency,
    signal: gone.signal,
    stillIn,
    request,
    raw: { params: request.params, query: request.query, body },
  })
}

const parse = express.json({ limit: bodyBytesAtMost, inflate: false, strict: false })

async function bodyOf(request: Request, response: Response): Promise<unknown> {
  if (request.is('application/json') === false) {
    throw new Problem(
      'unsupported-media-type',
      'send Content-Type: application/json, and no Content-Encoding',
    )
  }
  const [, charset = 'utf-8'] =
    /;\s*charset\s*=\s*"?([^;"\s]*)/i.exec(request.get('content-type') ?? '') ?? []
  // The parser would take others, UTF-7 among them, which says things that nobody before this listener reads.
  if (!/^utf-?8$/i.test(charset)) throw notUtf8()
  await new Promise<void>((resolve, reject) => {
    parse(request, response, (cause?: unknown) => {
      if (cause === undefined) resolve()
      else reject(bodyProblem(cause))
    })
  })
  const body: unknown = request.body
  return body
}

const notUtf8 = (): Problem =>
  new Problem('unsupported-media-type', 'send the body in UTF-8, without Content-Encoding')

/** What body-parser makes of a body that is none. */
function bodyProblem(cause: unknown): Problem {
  const type = typeof cause === 'object' && cause !== null && 'type' in cause ? String(cause.type) : ''
  if (type === 'entity.too.large') {
    return new Problem('too-large', `a body has at most ${bodyBytesAtMost} bytes`)
  }
  if (type === 'encoding.unsupported' || type === 'charset.unsupported') {
    return notUtf8()
  }
  return new Problem('malformed', 'the body is not JSON')
}

function idempotencyOf(
  request: Request,
  operator: Operator,
  body: unknown,
): { key: string; bodyHash: string } | null {
  const key = request.get('idempotency-key')
  if (key === undefined) return null
  if (!/^[!-~]{1,255}$/.test(key)) {
    throw new Problem('malformed', 'Idempotency-Key must be 1 to 255 visible ASCII characters', {
      errors: [{ in: 'header', field: 'Idempotency-Key', detail: '1 to 255 visible ASCII characters' }],
    })
  }
  const operation = `${request.method} ${request.path}`
  const bodyHash = createHash('sha256')
    .update(JSON.stringify(body) ?? '')
    .digest('hex')
  return { key: idempotencyName(operator.id, operation, key), bodyHash }
}

/** RFC 9110, section 13.1.1. @returns `null` for `*`. */
function versionOf(request: Request): number | null {
  const header = request.get('if-match')
  if (header === undefined) {
    throw new Problem(
      'match-required',
      'send If-Match with the ETag that you saw last, or * to change it in any case',
    )
  }
  if (header.trim() === '*') return null
  const [, version] = /^\s*"(\d{1,15})"\s*$/.exec(header) ?? []
  // Weak tags and others never match, and no record has this version.
  return version === undefined ? -1 : Number(version)
}

async function send(response: Response, answer: Answer, usual: number): Promise<void> {
  const { status = usual, body, version, headers = {}, write } = answer
  response.status(status).set({ 'Cache-Control': 'no-store', ...headers })
  if (version !== undefined) response.set('ETag', `"${version}"`)
  if (write !== undefined) await write(response)
  else if (body === undefined) response.end()
  else response.json(body)
}

function problemOf(cause: unknown): Problem | null {
  if (cause instanceof Problem) return cause
  if (cause instanceof RegistryUnavailable) {
    const detail = `${errorText(cause)}; residents are served as before, and changes are taken again once it is back`
    return new Problem('unavailable', detail, { headers: { 'Retry-After': '5' } })
  }
  return null
}

/** Refused changes are kept; so are those who were not let in, as far as their attempts are counted. */
async function noteRefusal(
  { docs }: Declared,
  operator: Operator | null,
  request: Request,
  problem: Problem,
  parts: DispatchParts,
): Promise<void> {
  // Without a credential nobody was mistaken for anybody, and a crawler would fill the log. Who is known elsewhere and may
  // do nothing here, or sends from a foreign page with a session of ours, is worth knowing of.
  const stranger =
    problem.problem === 'forbidden' ||
    (problem.problem === 'unauthenticated' && request.get('authorization') !== undefined)
  const kept = operator === null ? stranger : docs.action !== undefined
  // It would go where the change could not; and if that was written after all, its own record was too.
  if (!kept || problem.problem === 'unavailable') return
  try {
    await parts.note({
      actor: operator === null ? null : { id: operator.id, name: operator.name },
      from: sourceOf(request),
      action: docs.action ?? 'read',
      // A token that somebody put into a URL must not stand in the log for good.
      target: withoutSecrets(request.path).slice(apiRoot.length + 1, 200),
      reason: null,
      before: null,
      after: null,
      outcome: problem.status < 500 ? 'refused' : 'failed',
      detail: withoutSecrets(`${problem.problem}: ${problem.message}`).slice(0, 1000),
    })
  } catch (cause) {
    parts.fault(cause)
  }
}
