// Stands before an HTTP server, counts what passes, and gives answers late: what was asked is done, nobody hears of it.
import { once } from 'node:events'
import { createServer, request, type RequestListener } from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import { pipeline } from 'node:stream'

export interface SlowProxy extends AsyncDisposable {
  readonly url: string
  /** Requests so far. */
  readonly requests: number
  /** How much later the answer to a request with this body comes, ms. At first at once. */
  delayOf: (body: string) => number
}

/** @param tls Speaks TLS with these. */
export async function slowProxy(port: number, tls: ServerOptions | null = null): Promise<SlowProxy> {
  let requests = 0
  const timers = new Set<NodeJS.Timeout>()
  const pass: RequestListener = (incoming, outgoing) => {
    requests += 1
    let body = ''
    incoming.on('data', (bytes: Buffer) => (body += bytes.toString()))
    const { method, url, headers } = incoming
    const onward = request(
      { port, host: '127.0.0.1', method, path: url, headers, agent: false },
      (answer) => {
        const timer = setTimeout(() => {
          timers.delete(timer)
          outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
          pipeline(answer, outgoing, () => {})
        }, proxy.delayOf(body))
        timers.add(timer)
      },
    )
    outgoing.on('close', () => onward.destroy())
    onward.on('error', () => outgoing.destroy())
    pipeline(incoming, onward, () => {})
  }
  const server = tls === null ? createServer(pass) : createTlsServer(tls, pass)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const own = typeof address === 'object' && address !== null ? address.port : 0
  const proxy: SlowProxy = {
    url: `${tls === null ? 'http' : 'https'}://127.0.0.1:${own}`,
    delayOf: () => 0,
    get requests() {
      return requests
    },
    async [Symbol.asyncDispose]() {
      for (const timer of timers) clearTimeout(timer)
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
  return proxy
}
