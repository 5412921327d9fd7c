// The public listener: Node's servers with our bounds, HTTP/2 by ALPN, and a clear answer to what is no request at all.
import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Session } from 'node:http2'
import { createServer as createTlsServer, Server as TlsServer } from 'node:https'
import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { Config } from '../../config/schema.ts'
import { errorCode } from '../model/errors.ts'
import type { Observer, Refusal } from '../model/events.ts'
import type { Certificate } from '../control/certificate.ts'
import { ClientConnection } from './client-connection.ts'
import { rawReply, reply } from './error-reply.ts'
import { endFloods } from './h2-floods.ts'
import type { PublicResponse } from './http.ts'
import { type Edge, wantsWebSocket } from './listener.ts'
import { newTraceId } from './trace.ts'
import { UnreadAnswers } from './unread-answers.ts'

type HttpServer = Server | TlsServer

/** How long an idle connection is kept while the process saves itself. Node's own clients take a second off it. */
const briefKeepAliveMs = 3000

/** Owns the sockets of the public listener. */
export class PublicServer {
  private readonly config: Config
  private readonly edge: Edge
  private readonly observer: Observer
  private readonly server: HttpServer
  private readonly http2: Http2Server | null
  private readonly sockets = new Set<Socket>()
  private readonly sessions = new Set<ServerHttp2Session>()
  private readonly unread: UnreadAnswers
  private closedToNew = false
  private readonly clients = new WeakMap<Socket, ClientConnection>()

  constructor(config: Config, certificate: Certificate | null, edge: Edge, observer: Observer) {
    this.config = config
    this.edge = edge
    this.observer = observer
    this.server = certificate === null ? createServer(this.options()) : this.tlsServer(certificate)
    this.http2 = certificate !== null && config.public.http2 ? this.http2Server() : null
    this.unread = new UnreadAnswers(this.sockets, config.attempts.idleTimeoutMs)
    this.serveHttp1()
    if (this.http2 !== null) this.divertHttp2(this.http2)
  }

  /** Resolves with the port once it listens; rejects with the system's error, such as EADDRINUSE. */
  listen(): Promise<number> {
    const { host, port } = this.config.public
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      this.server.listen({ host, port, backlog: 4096 }, () => {
        this.server.off('error', reject)
        const address = this.server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  get connections(): number {
    return this.sockets.size
  }

  /** Scales down what the process spends on connections: from 1 idle ones are kept for a moment only, at 3 none is taken. */
  protect(level: number): void {
    this.closedToNew = level >= 3
    this.server.keepAliveTimeout = level >= 1 ? briefKeepAliveMs : this.config.limits.keepAliveTimeoutMs
  }

  /** New connections get the new certificate; those that are open keep theirs. */
  useCertificate(certificate: Certificate): void {
    if (this.server instanceof TlsServer) this.server.setSecureContext({ ...certificate })
  }

  /** Stops accepting, lets what is in flight end within `drainMs`, then ends the rest. */
  async close(drainMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.server.close(() => resolve()))
    for (const session of this.sessions) session.close()
    // Connections become idle one by one; each is closed as soon as it is.
    const sweep = setInterval(() => this.server.closeIdleConnections(), 25)
    const deadline = setTimeout(() => {
      for (const socket of this.sockets) socket.destroy()
    }, drainMs)
    this.server.closeIdleConnections()
    await closed
    clearInterval(sweep)
    clearTimeout(deadline)
    this.unread[Symbol.dispose]()
  }

  private options(): ServerOptions {
    const { limits } = this.config
    return {
      maxHeaderSize: limits.headerBytes,
      headersTimeout: limits.headersTimeoutMs,
      requestTimeout: Math.max(limits.requestTimeoutMs, limits.headersTimeoutMs),
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      connectionsCheckingInterval: Math.max(50, Math.min(1000, limits.headersTimeoutMs / 2)),
      noDelay: true,
      // Checked by the admit stage, which answers with a problem and counts it.
      requireHostHeader: false,
      // No h2c and no other tunnel: such a request is served as if it had not asked.
      shouldUpgradeCallback: (request) => wantsWebSocket(request) && !hasBody(request),
    }
  }

  private tlsServer(certificate: Certificate): TlsServer {
    const ALPNProtocols = this.config.public.http2 ? ['h2', 'http/1.1'] : ['http/1.1']
    return createTlsServer({ ...this.options(), ...certificate, ALPNProtocols, minVersion: 'TLSv1.2' })
  }

  private http2Server(): Http2Server {
    const { limits, attempts } = this.config
    const server = createHttp2Server({
      maxHeaderListPairs: limits.headerCount + 8,
      settings: { maxConcurrentStreams: 128, maxHeaderListSize: limits.headerBytes },
    })
    server.on('request', (request, response) => this.edge.handle(request, response))
    server.on('checkExpectation', (_request, response) => this.turnAway(response, 'expectation'))
    server.on('session', (session) => {
      this.sessions.add(session)
      session.setTimeout(limits.keepAliveTimeoutMs, () => session.close())
      // A session's error closes it; the streams on it have been answered or cut by themselves.
      session.on('error', () => {})
      session.on('close', () => this.sessions.delete(session))
      endFloods(session, attempts.idleTimeoutMs)
    })
    return server
  }

  private serveHttp1(): void {
    const { server } = this
    server.maxHeadersCount = this.config.limits.headerCount + 1
    const handle = (request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void => {
      this.clientOf(request.socket).take(response, () => {
        // The parser takes "HTTP/2.0" in a request line, and what follows would be believed to be HTTP/2.
        if (request.httpVersionMajor > 1) this.turnAway(response, 'bad-framing')
        else this.edge.handle(request, response, expectsContinue)
      })
    }
    server.on('request', (request, response) => handle(request, response, false))
    server.on('checkContinue', (request, response) => handle(request, response, true))
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      this.clientOf(request.socket).take(response, () => this.turnAway(response, 'expectation'))
    })
    server.on('upgrade', (request, socket: Socket, head) => {
      this.clientOf(socket).whenQuiet(() => this.edge.upgrade(request, socket, head))
    })
    server.on('connect', (_request, socket: Socket) => this.refuseRaw(socket, 'method'))
    server.on('clientError', (error: Error, socket: Socket) => this.clientError(error, socket))
    server.on('connection', (socket: Socket) => this.admitConnection(socket))
  }

  /** The TLS server's own listener keeps HTTP/1.1; what agreed on h2 goes to the other one. */
  private divertHttp2(http2: Http2Server): void {
    const { server } = this
    const http1 = server.listeners('secureConnection')
    server.removeAllListeners('secureConnection')
    server.on('secureConnection', (socket: TLSSocket) => {
      if (socket.alpnProtocol === 'h2') http2.emit('connection', socket)
      else for (const listener of http1) Reflect.apply(listener, server, [socket])
    })
  }

  private admitConnection(socket: Socket): void {
    if (this.closedToNew || this.sockets.size >= this.config.limits.connections) {
      // Before a TLS handshake there is no way to say why.
      socket.on('error', () => {})
      if (this.server instanceof TlsServer) {
        this.observer.requestRefused('too-many-connections')
        socket.destroy()
      } else this.refuseRaw(socket, 'too-many-connections')
      return
    }
    this.sockets.add(socket)
    socket.once('close', () => this.sockets.delete(socket))
  }

  private clientError(error: Error, socket: Socket): void {
    const refusal = refusalOf(errorCode(error))
    if (refusal === null) socket.destroy()
    else this.refuseRaw(socket, refusal)
  }

  private turnAway(response: PublicResponse, refusal: Refusal): void {
    this.observer.requestRefused(refusal)
    const isHttp2 = 'stream' in response
    reply(response, refusal, unknownAudience(), isHttp2 ? [] : ['Connection', 'close'])
  }

  private refuseRaw(socket: Socket, refusal: Refusal): void {
    const told = this.clientOf(socket).refuse(rawReply(refusal, unknownAudience()))
    if (told) this.observer.requestRefused(refusal)
  }

  private clientOf(socket: Socket): ClientConnection {
    let client = this.clients.get(socket)
    if (client === undefined) {
      client = new ClientConnection(socket)
      this.clients.set(socket, client)
    }
    return client
  }
}

/** An upgrade has no body (RFC 9110 section 7.8 would have it read first); one that has is served as a plain request. */
const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined

const unknownAudience = () => ({ method: 'GET', accept: '', acceptLanguage: 'en', requestId: newTraceId() })

/** @returns `null` where the client is simply gone. */
function refusalOf(code: string): Refusal | null {
  switch (code) {
    case 'ECONNRESET':
    case 'EPIPE':
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
      return null
    case 'HPE_HEADER_OVERFLOW':
      return 'headers-too-large'
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return 'body-too-large'
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return 'slow-headers'
    default:
      return 'bad-framing'
  }
}
