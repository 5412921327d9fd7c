// Real local servers that play a region's node: well, badly, or byte by byte.
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
} from 'node:http'
import { createServer as createTcpServer, type Server as TcpServer, type Socket } from 'node:net'

export interface Upstream extends AsyncDisposable {
  readonly url: string
  readonly port: number
  /** Requests that reached it, probes of /healthz not counted. */
  readonly requests: number
  /** Connections open to it now. */
  readonly connections: number
  close(): Promise<void>
}

/** An HTTP node. Probes are answered with 200 unless the listener is told to see them. */
export async function httpUpstream(
  listener: RequestListener,
  options: { seesProbes?: boolean; port?: number } = {},
): Promise<Upstream> {
  let requests = 0
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    if (request.url === '/healthz' && options.seesProbes !== true) {
      response.end('ok')
      return
    }
    requests += 1
    listener(request, response)
  })
  return listening(server, options.port ?? 0, () => requests)
}

/** A node that writes raw bytes: `onConnection` gets every connection, probes included. */
export function rawUpstream(onConnection: (socket: Socket) => void): Promise<Upstream> {
  let requests = 0
  const server = createTcpServer((socket) => {
    requests += 1
    socket.on('error', () => {})
    onConnection(socket)
  })
  return listening(server, 0, () => requests)
}

/** Answers every request with its name, so that a test sees who answered. */
export const named =
  (name: string): RequestListener =>
  (_request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('content-type', 'text/plain')
    response.end(name)
  }

/** A port on which nothing listens. */
export async function deadPort(): Promise<number> {
  const upstream = await httpUpstream(named('soon dead'))
  await upstream.close()
  return upstream.port
}

async function listening(
  server: Server | TcpServer,
  port: number,
  requests: () => number,
): Promise<Upstream> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  const bound = await new Promise<number>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      resolve(typeof address === 'object' && address !== null ? address.port : port)
    })
  })
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve())
      for (const socket of sockets) socket.destroy()
    })
  return {
    url: `http://127.0.0.1:${bound}`,
    port: bound,
    get requests() {
      return requests()
    },
    get connections() {
      return sockets.size
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
