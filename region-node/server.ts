// The HTTP server of a node: its timeouts, how it binds, and how it stops without cutting anyone off.
import { createServer } from 'node:http'
import type { RequestListener, Server } from 'node:http'
import { isNativeError } from 'node:util/types'
import { StartError } from './start-error.ts'

export function createNodeServer(listener: RequestListener): Server {
  const server = createServer(
    { headersTimeout: 20_000, requestTimeout: 30_000, connectionsCheckingInterval: 5_000, noDelay: true },
    listener,
  )
  // Longer than any gateway keeps a connection idle, so that it is never we who close one just as
  // the gateway writes to it.
  server.keepAliveTimeout = 65_000
  return server
}

/**
 * @returns The port bound, which tells what port 0 became.
 * @throws {StartError} The port is taken, not allowed, or the address isn't this machine's.
 */
export async function listen(server: Server, host: string, port: number): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  server.listen({ host, port }, resolve)
  try {
    await promise
  } catch (error) {
    throw new StartError(bindFault(error, host, port), error)
  } finally {
    server.off('error', reject)
  }
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : port
}

function bindFault(error: unknown, host: string, port: number): string {
  const code = isNativeError(error) && 'code' in error ? String(error.code) : 'unknown error'
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} on ${host} is already in use; stop what uses it or choose another with --port`
    case 'EACCES':
      return `port ${port} on ${host} needs more rights; choose one above 1023 with --port`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `${host} is no address of this machine; choose one with --host, such as 127.0.0.1`
    default:
      return `can't listen on ${host} port ${port}: ${code}`
  }
}

/**
 * Stops accepting and waits for the requests in flight.
 *
 * @param drainMs After so long, connections still open are cut.
 * @returns Whether every connection ended by itself in time.
 */
export async function stopServing(server: Server, drainMs: number): Promise<boolean> {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  let cut = false
  const deadline = setTimeout(() => {
    cut = true
    server.closeAllConnections()
  }, drainMs)
  server.close(() => resolve())
  await closed
  clearTimeout(deadline)
  return !cut
}
