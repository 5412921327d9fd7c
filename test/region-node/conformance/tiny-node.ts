// A second region node, made as unlike ours as the contract lets it: node:http, Maps, jose, chunked answers, members of
// its own, problem types of its own. With one fault at a time it is what the kit must find.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'

import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { compactVerify, CompactSign, calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import type { JWK } from 'jose'
import type { PaperFault } from './tiny-paper.ts'
import { tinyPaper } from './tiny-paper.ts'

/** What is wrong with it; each is one fault. */
export type Fault =
  | 'betters-on-negative'
  | 'ignores-positive'
  | 'registers-twice'
  | 'answers-anew'
  | 'key-reuse'
  | 'no-key-needed'
  | 'unknown-is-green'
  | 'foreign-key'
  | 'expired-code'
  | 'long-lived-code'
  | 'other-colour'
  | 'same-rid'
  | 'donor-live'
  | 'stack-in-error'
  | 'plain-errors'
  | 'no-retry-after'
  | 'resets-when-full'
  | 'probes-when-full'
  | 'public-cache'
  | 'no-limit'
  | 'counts-nothing'
  | 'ready-for-all'
  | 'echoes-id'
  | 'echoes-number'
  | 'banner'
  | 'hangs'
  | 'endless'
  | 'resets'
  | 'believes-all'
  | 'believes-alg-none'
  | 'believes-expired'
  | 'no-allow'
  | 'ignores-fields'
  | PaperFault

const HOME = '610100'
const LIMIT = 6
const seconds = (): number => Math.floor(Date.now() / 1000)
const iso = (at: number): string => new Date(at * 1000).toISOString()

interface Signing {
  readonly key: CryptoKey
  readonly jwk: JWK & { kid: string; nbf: number; exp: number }
}

async function newKey(): Promise<Signing> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
  const point = { ...(await exportJWK(publicKey)), alg: 'ES256', use: 'sig' }
  const kid = await calculateJwkThumbprint(point)
  return { key: privateKey, jwk: { ...point, kid, nbf: 1_600_000_000, exp: 4_000_000_000 } }
}

const sign = ({ key, jwk }: Signing, typ: string, payload: object): Promise<string> =>
  new CompactSign(Buffer.from(JSON.stringify(payload)))
    .setProtectedHeader({ alg: 'ES256', typ, kid: jwk.kid })
    .sign(key)

export interface TinyNode extends AsyncDisposable {
  readonly url: URL
  readonly root: JWK
  /** Signed by it ten minutes ago. */
  readonly expiredCode: string
}

interface Reply {
  readonly status: number
  readonly value: unknown
  readonly type?: string
  readonly headers?: Record<string, string>
}

/** @param region Its own; a donor's where it is not 610100. */
export async function startTinyNode(fault?: Fault, region = HOME): Promise<TinyNode> {
  const [root, own, stranger] = await Promise.all([newKey(), newKey(), newKey()])
  const now = seconds()
  const trustList = await sign(root, 'chiyuan-trust-list', {
    v: 1,
    counter: 1,
    iat: now,
    nextUpdate: now + 3600,
    issuers: [{ region, keys: [own.jwk] }],
    delegations: region === HOME ? [] : [{ donor: region, hom: HOME, from: now - 3600, until: now + 86_400 }],
  })
  const colours = new Map([1, 2, 3].map((n) => [`R${HOME}-00000${n}`, n === 3 ? 'yellow' : 'green']))
  const registered: string[] = []
  const kept = new Map<string, { request: string; value: unknown }>()
  const paper = tinyPaper(HOME, fault)
  const fixedRid = randomBytes(9).toString('base64url')
  let inFlight = 0
  const tokenOf = (id: string): string =>
    createHash('sha256').update(`tiny|${id}`).digest('base64url').slice(0, 24)
  const freshness = region === HOME || fault === 'donor-live' ? 'live' : 'replica'

  const problem = (status: number, kind: string, more: object = {}): Reply => ({
    status,
    type: fault === 'plain-errors' ? 'text/html' : 'application/problem+json; charset=utf-8',
    value: { status, title: kind, type: `https://vendor.example/problems/${kind}`, ...more },
  })
  const nobody = (id: string): Reply => {
    if (fault === 'echoes-id' && id.startsWith('R'))
      return problem(404, 'unknown-resident', { detail: `no ${id}` })
    if (fault === 'echoes-number' && !id.startsWith('R'))
      return problem(404, 'unknown-resident', { instance: id })
    return problem(404, 'unknown-resident')
  }

  async function codeOf(id: string): Promise<Reply> {
    if (!/^[\w-]{1,64}$/.test(id)) return problem(400, 'bad-id', fault === 'stack-in-error' ? stack : {})
    const st = colours.get(id) ?? (fault === 'unknown-is-green' ? 'green' : undefined)
    if (st === undefined) return nobody(id)
    const iat = fault === 'expired-code' ? seconds() - 900 : seconds()
    const exp = iat + (fault === 'long-lived-code' ? 3600 : 120)
    const rid = fault === 'same-rid' ? fixedRid : randomBytes(9).toString('base64url')
    const claims = { exp, iat, rid, seq: 7, st, sub: tokenOf(id), hom: HOME, iss: region, v: 1 }
    return {
      status: 200,
      headers: { 'Cache-Control': fault === 'public-cache' ? 'public, max-age=60' : 'no-store' },
      value: {
        vendor: { build: 'tiny' },
        freshness,
        testResult: null,
        testTime: null,
        updatedAt: iso(iat - 60),
        validUntil: iso(exp),
        issuedAt: iso(iat),
        issuer: region,
        divisionCode: HOME,
        status: fault === 'other-colour' ? 'red' : st,
        code: await sign(
          fault === 'foreign-key' ? { ...stranger, jwk: own.jwk } : own,
          'chiyuan-code',
          claims,
        ),
        residentToken: tokenOf(id),
      },
    }
  }

  async function verdictOn(code: string): Promise<Reply> {
    const no = {
      valid: false,
      status: 'unknown',
      reason: 'tampered',
      issuer: region,
      verifiedAt: iso(seconds()),
    }
    const headers = { 'Cache-Control': 'private' }
    const payload = await claimsIn(code)
    if (payload === null) return { status: 200, headers, value: no }
    if (payload.exp < seconds() - 30 && !/believes-(expired|all)/.test(fault ?? '')) {
      return { status: 200, headers, value: { ...no, status: 'expired', reason: 'expired' } }
    }
    if (payload.rid !== undefined && paper.isLost(payload.rid)) return { status: 200, headers, value: no }
    const [token = '', colour = payload.st] = Array.isArray(payload.sub)
      ? [payload.sub[0], colourOf(payload.sub[0])]
      : [payload.sub]
    const yes = {
      valid: true,
      status: colour,
      residentToken: token,
      divisionCode: payload.hom,
      freshness,
    }
    return { status: 200, headers, value: { ...no, reason: undefined, ...yes } }
  }

  async function claimsIn(
    code: string,
  ): Promise<{ st: string; sub: string | string[]; hom: string; exp: number; rid?: string } | null> {
    const [header = '', body = ''] = code.split('.')
    try {
      const said = JSON.parse(Buffer.from(header, 'base64url').toString())
      const blind = fault === 'believes-all' || (fault === 'believes-alg-none' && said.alg === 'none')
      if (blind) return JSON.parse(Buffer.from(body, 'base64url').toString())
      if (said.kid !== own.jwk.kid) return null
      const { payload } = await compactVerify(code, own.jwk, { algorithms: ['ES256'] })
      return JSON.parse(Buffer.from(payload).toString())
    } catch {
      return null
    }
  }

  /** Once for each key. */
  function onceFor(req: IncomingMessage, body: unknown, take: () => object): Reply {
    const headers = { 'cache-control': 'private' }
    const key = String(req.headers['idempotency-key'] ?? (fault === 'no-key-needed' ? randomUUID() : ''))
    if (key === '') return problem(400, 'key-required')
    const request = `${req.url} ${JSON.stringify(body)}`
    const known = kept.get(key)
    if (known && known.request !== request && fault !== 'key-reuse') return problem(422, 'key-reused')
    if (known && fault === 'registers-twice') take()
    if (known && fault !== 'answers-anew') return { status: 201, headers, value: known.value }
    const value = known ? { ...Object(known.value), answeredAt: randomUUID() } : take()
    kept.set(key, { request, value })
    return { status: 201, headers, value }
  }

  function register(req: IncomingMessage, body: { residentId: string }): Reply {
    if (!colours.has(body.residentId)) return nobody(body.residentId)
    return onceFor(req, body, () => {
      const registrationId = randomUUID()
      registered.unshift(registrationId)
      return { residentToken: tokenOf(body.residentId), registrationId }
    })
  }

  /** Of whom a paper stands for. */
  const colourOf = (token = ''): string | undefined => {
    const id = [...colours.keys()].find((name) => tokenOf(name) === token) ?? ''
    return fault === 'paper-is-green' ? 'green' : colours.get(id)
  }

  async function print(req: IncomingMessage, body: { residentId: string }): Promise<Reply> {
    const token = tokenOf(body.residentId)
    const { id, typ, claims, exp } = paper.print(token, seconds())
    const code = await sign(own, typ, claims)
    const times = { issuedAt: iso(seconds()), validUntil: iso(exp) }
    return onceFor(req, body, () => ({ codeId: id, code, residentTokens: [token], ...times }))
  }

  function test(req: IncomingMessage, body: { residentId: string; result: string }): Reply {
    const { residentId, result } = body
    return onceFor(req, body, () => {
      if (result === 'positive' && fault !== 'ignores-positive') colours.set(residentId, 'red')
      if (result === 'negative' && fault === 'betters-on-negative') colours.set(residentId, 'green')
      return { testId: randomUUID(), residentToken: tokenOf(residentId), status: colours.get(residentId) }
    })
  }

  async function post(req: IncomingMessage, path: string): Promise<Reply> {
    if (!String(req.headers['content-type']).startsWith('application/json')) return problem(415, 'media-type')
    let text = ''
    for await (const chunk of req) {
      text += chunk
      if (text.length > 64 * 1024) return problem(413, 'too-large')
    }
    const body = parsed(text)
    if (body === undefined) return problem(400, 'bad-json')
    if (path === '/v1/registrations') return register(req, body)
    if (path === '/v1/tests') return test(req, body)
    if (path === '/v1/paper-codes') return print(req, body)
    if (path === '/v1/loss-reports') return onceFor(req, body, () => ({ codesLost: paper.lose(body.codeId) }))
    if (path !== '/v1/verifications') return problem(404, 'no-route')
    const fields = new Set(['code', 'residentId', 'checkpointId'])
    const odd = Object.keys(body).some((name) => !fields.has(name))
    if (odd && fault !== 'ignores-fields') return problem(422, 'unknown-field')
    if (typeof body.residentId === 'string') return nobody(body.residentId)
    return typeof body.code === 'string' ? verdictOn(body.code) : problem(422, 'code-or-id')
  }

  async function get(path: string, query: URLSearchParams): Promise<Reply> {
    const home = query.get('home') ?? HOME
    if (path === '/healthz') return { status: 200, value: { region, node: 'tiny', status: 'alive' } }
    if (path === '/load') return { status: 200, value: load() }
    if (path === '/readyz') {
      if (!/^\d{6}$/.test(home)) return problem(400, 'bad-home')
      if (home !== HOME && fault !== 'ready-for-all') return problem(503, 'not-ready')
      return { status: 200, value: { notReadyFor: [], region, status: 'ready' } }
    }
    if (path === '/v1/trust-root') return { status: 200, value: root.jwk }
    if (path === '/v1/trust-list') return { status: 200, type: 'application/jose', value: trustList }
    if (path === '/v1/revocation-lists') return { status: 200, value: { lists: [] } }
    const [, folder, id] = /^\/v1\/(codes|registrations)\/([^/]+)$/.exec(path) ?? []
    if (folder === 'codes') return codeOf(decodeURIComponent(id ?? ''))
    if (folder !== 'registrations') return problem(404, 'no-route')
    const list = registered.map((registrationId) => ({ registrationId }))
    const view = { residentToken: tokenOf(id ?? ''), divisionCode: HOME, freshness, registrations: list }
    return { status: 200, headers: { 'cache-control': 'private' }, value: view }
  }

  const load = () => ({
    draining: false,
    ...(fault === 'no-limit' ? {} : { limit: LIMIT }),
    inFlight: fault === 'counts-nothing' ? 0 : inFlight,
  })

  async function serve(req: IncomingMessage, res: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(req.url ?? '/', 'http://tiny')
    const probe = /^\/(healthz|readyz|load)$/.test(pathname)
    if (!probe || fault === 'probes-when-full') {
      // By the time the kit asks for it, nothing else is in flight but what it holds.
      if (inFlight >= LIMIT) return refuse(res)
      inFlight += 1
      res.once('close', () => (inFlight -= 1))
    }
    const notHeld = searchParams.get('home') === '999999'
    if (fault === 'hangs' && notHeld) return
    if (fault === 'resets' && notHeld) return void req.socket.resetAndDestroy()
    if (fault === 'endless' && notHeld) return pour(res)
    send(res, req.method ?? '', await replyTo(req, pathname, searchParams))
  }

  async function replyTo(req: IncomingMessage, path: string, query: URLSearchParams): Promise<Reply> {
    if (req.method === 'POST') return post(req, path)
    if (req.method === 'GET' || req.method === 'HEAD') return get(path, query)
    const allow = fault === 'no-allow' ? {} : { Allow: 'HEAD, GET' }
    return { ...problem(405, 'method'), headers: allow }
  }

  function refuse(res: ServerResponse): void {
    if (fault === 'resets-when-full') return void res.socket?.resetAndDestroy()
    const headers: Record<string, string> = fault === 'no-retry-after' ? {} : { 'Retry-After': '2' }
    send(res, 'GET', { ...problem(503, 'full'), headers })
  }

  function send(res: ServerResponse, method: string, { status, value, type, headers }: Reply): void {
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    if (fault === 'banner') res.setHeader('Server', 'tiny/1.2.3')
    res.writeHead(status, { ...headers, 'Content-Type': type ?? 'application/json', 'SYNTHETIC-DATA': '?1' })
    if (method === 'HEAD') return void res.end()
    // In two chunks, without Content-Length.
    res.write(text.slice(0, 5))
    res.end(text.slice(5))
  }

  const server = createServer((req, res) => void serve(req, res))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('no port')
  return {
    url: new URL(`http://127.0.0.1:${address.port}`),
    root: root.jwk,
    expiredCode: await sign(own, 'chiyuan-code', {
      v: 1,
      iss: region,
      hom: HOME,
      sub: tokenOf('R610100-000001'),
      st: 'green',
      iat: now - 600,
      exp: now - 480,
      seq: 1,
      rid: 'c2VsZG9t',
    }),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const stack = { detail: 'Error: no\n    at codeOf (/srv/tiny/node.js:12:3)' }

/** Without end, as fast as it is read. */
function pour(res: ServerResponse): void {
  const more = (): void => {
    while (!res.destroyed && res.write(Buffer.alloc(64 * 1024, 32)));
  }
  res.on('drain', more)
  more()
}

function parsed(text: string) {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
