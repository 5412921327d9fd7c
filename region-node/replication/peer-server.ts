// The listener for peers: mutual TLS, and every request in the name of the region whose certificate it came with.
import express from 'express'
import type { ErrorRequestHandler, Express, Request, Response } from 'express'
import { createServer } from 'node:https'
import type { Server } from 'node:https'
import { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { zstdCompress } from 'node:zlib'
import { z } from 'zod'
import { readInput } from '../http/input.ts'
import { ProblemError, retryAfter, sendProblem } from '../http/problem.ts'
import { sendJson } from '../http/reply.ts'
import { addRoute } from '../http/routes.ts'
import { regionOfPeer } from '../peers/identity.ts'
import type { CodeService } from '../service.ts'
import type { HomeSide } from './home.ts'
import type { PeerFiles } from './peer-files.ts'
import type { Terms } from './terms.ts'
import { handoverSchema, lastHeader, mostEntries, tokenSchema } from './wire.ts'

const compress = promisify(zstdCompress)
/** Below it compression saves nothing that a packet does not cost anyway. */
const leastCompressed = 1_024
const longestWaitMs = 20_000
/** Connections at once. Strangers are among them until TLS has turned them away, and must not use up the node's files. */
const mostConnections = 1_024
/** Requests of one region at once, for all its nodes: each that waits looks at the feed after every commit. */
const mostAtOnce = 64
/** A peer that neither reads nor writes for so long is gone. */
const idleMs = 60_000
/** Failed handshakes are told so often at most, with their number. */
const toldEveryMs = 10_000

const number = (min: number, max: number) => z.coerce.number().int().min(min).max(max)

const feedQuery = z.strictObject({
  epoch: number(1, Number.MAX_SAFE_INTEGER),
  seq: number(0, Number.MAX_SAFE_INTEGER),
  limit: number(1, mostEntries).default(mostEntries),
  waitMs: number(0, longestWaitMs).default(0),
})

const purgeSchema = z.strictObject({ certificate: z.string().max(8_192) })

export interface PeerParts {
  readonly service: CodeService
  readonly home: HomeSide
  readonly files: PeerFiles
  /** Aborted when the node stops: nobody is kept waiting. */
  readonly stopping: AbortSignal
  /** @throws {ProblemError} It is none, or not of that donor. */
  readonly takePurge: (donor: string, certificate: string) => Promise<void>
}

export function createPeerServer(parts: PeerParts): Server {
  const { files, service } = parts
  const options = {
    ...files.current,
    requestCert: true,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.3',
    handshakeTimeout: 10_000,
  } as const
  const server = createServer(options, peerApp(parts))
  files.onChange((material) => server.setSecureContext({ ...options, ...material }))
  server.keepAliveTimeout = 65_000
  server.maxConnections = mostConnections
  server.setTimeout(idleMs)
  server.on('tlsClientError', refusalsTold(service))
  return server
}

/** A stranger's failed handshake is his own; the node only counts it in its log, and a flood of them in few lines. */
function refusalsTold({ log }: CodeService): (error: Error) => void {
  let toldAt = -Infinity
  let untold = 0
  return ({ message }) => {
    untold += 1
    if (performance.now() - toldAt < toldEveryMs) return
    log.warn({ reason: message, refused: untold }, 'a peer was not let in')
    toldAt = performance.now()
    untold = 0
  }
}

/** At most so many requests of one region at once. @throws {ProblemError} */
function placesByRegion(): (region: string, res: Response) => void {
  const taken = new Map<string, number>()
  return (region, res) => {
    const open = taken.get(region) ?? 0
    if (open >= mostAtOnce) throw tooMany()
    taken.set(region, open + 1)
    res.once('close', () => {
      const left = (taken.get(region) ?? 1) - 1
      if (left === 0) taken.delete(region)
      else taken.set(region, left)
    })
  }
}

function peerApp({ service, home, stopping, takePurge }: PeerParts): Express {
  const app = express()
  app.disable('x-powered-by')
  app.set('etag', false)
  const undocumented = {}
  const takePlace = placesByRegion()
  addRoute(app, {
    path: '/replication/v1/feed',
    docs: undocumented,
    get: async (req, res) => {
      const donor = regionOf(req)
      takePlace(donor, res)
      const terms = requireTerms(home, donor)
      const { epoch, seq, limit, waitMs } = readInput(feedQuery, req.query, 'query')
      if (home.isFencedBy({ epoch, seq })) throw fenced()
      const last = req.get(lastHeader)
      if (
        last !== undefined &&
        !home.hasPlace({ epoch, seq }, readInput(tokenSchema, last, 'header', lastHeader))
      )
        throw placeLost()
      const gone = new AbortController()
      res.once('close', () => gone.abort())
      const signal = AbortSignal.any([gone.signal, stopping])
      await sendCompressed(req, res, await home.page({ epoch, seq }, terms, { limit, waitMs, signal }))
    },
  })
  addRoute(app, {
    path: '/replication/v1/journal',
    docs: undocumented,
    post: async (req, res) => {
      const donor = regionOf(req)
      takePlace(donor, res)
      if (!home.knowsOf(donor)) throw notKnown()
      if (!home.mayHandOver(donor)) throw noAgreement(donor)
      const { writes } = readInput(handoverSchema, req.body, 'body')
      sendJson(res, 200, await home.takeIn(donor, writes))
    },
  })
  addRoute(app, {
    path: '/replication/v1/purges',
    docs: undocumented,
    post: async (req, res) => {
      const donor = regionOf(req)
      takePlace(donor, res)
      const { certificate } = readInput(purgeSchema, req.body, 'body')
      await takePurge(donor, certificate)
      sendJson(res, 201, { home: service.regionCode, donor })
    },
  })
  app.use((_req, res) => sendProblem(res, { status: 404, code: 'unknown-route', title: 'Not found' }))
  app.use(answerError(service))
  return app
}

function regionOf({ socket }: Request): string {
  const names = socket instanceof TLSSocket ? socket.getPeerCertificate().subjectaltname : undefined
  const region = regionOfPeer(names)
  if (region !== null) return region
  throw new ProblemError({
    status: 403,
    code: 'unknown-peer',
    title: 'The certificate names no region',
    detail: 'It needs one URI urn:chiyuan:region:<code> as its subject alternative name.',
  })
}

function requireTerms(home: HomeSide, donor: string): Terms {
  if (!home.knowsOf(donor)) throw notKnown()
  const terms = home.termsFor(donor)
  if (terms === null) throw noAgreement(donor)
  return terms
}

const noAgreement = (donor: string): ProblemError =>
  new ProblemError({
    status: 403,
    code: 'no-agreement',
    title: 'No agreement is in force',
    detail: `This home has no agreement with ${donor} at this time.`,
  })

/** Not 403, by which a donor forgets its copy: this node was only started without the file. */
const notKnown = (): ProblemError =>
  new ProblemError({
    status: 503,
    code: 'agreements-unknown',
    title: 'This node was given no agreements',
    detail: 'Its operator starts it with --agreements. Nothing is said of whether there is one.',
    headers: retryAfter(),
  })

const tooMany = (): ProblemError =>
  new ProblemError({
    status: 503,
    code: 'overloaded',
    title: 'Too many requests of this region at once',
    detail: `At most ${mostAtOnce} are open for one region. Ask again when one is answered.`,
    headers: retryAfter(),
  })

const placeLost = (): ProblemError =>
  new ProblemError({
    status: 409,
    code: 'place-lost',
    title: 'What was followed is not here',
    detail: 'This home came back from a backup: its operator runs chiyuan residents begin-epoch.',
  })

const fenced = (): ProblemError =>
  new ProblemError({
    status: 409,
    code: 'fenced',
    title: 'A later epoch of this home has begun',
    detail: 'This node was home once. Follow the one that is home now.',
  })

async function sendCompressed(req: Request, res: Response, value: unknown): Promise<void> {
  const text = JSON.stringify(value)
  if (text.length < leastCompressed || !req.acceptsEncodings('zstd')) return sendJson(res, 200, value)
  const body = await compress(text)
  const headers = {
    'content-type': 'application/json',
    'content-encoding': 'zstd',
    'content-length': body.length,
  }
  res.writeHead(200, { ...headers, 'cache-control': 'no-store' })
  res.end(body)
}

const answerError =
  ({ log }: CodeService): ErrorRequestHandler =>
  // Express knows an error handler by its four parameters.
  // oxlint-disable-next-line max-params
  (error: unknown, _req, res, _next) => {
    if (error instanceof ProblemError) return sendProblem(res, error.problem)
    const status =
      typeof error === 'object' && error !== null && 'status' in error ? Number(error.status) : 500
    if (status >= 400 && status < 500) {
      return sendProblem(res, { status, code: 'invalid-input', title: 'Invalid request' })
    }
    log.error({ kind: error instanceof Error ? error.name : typeof error }, 'a peer was not answered')
    return sendProblem(res, {
      status: 503,
      code: 'store-unavailable',
      title: 'The store does not answer',
      headers: retryAfter(),
    })
  }
