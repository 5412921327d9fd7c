// Stands in for a node that a drill makes silent or lets answer with errors, for streams, which want a connection.
import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

/** `null`: takes everything and says nothing. */
type Status = number | null

/** Listens on the loopback only while it is wanted, and answers nobody but this process. */
export class StandIn implements Disposable {
  private server: Promise<Server> | null = null
  private readonly ends = new Set<Socket>()
  /** By the port that our own end of the connection has. */
  private readonly statuses = new Map<number, Status>()

  /** @throws {Error} where the system has no port left. */
  async connect(status: Status): Promise<Socket> {
    this.server ??= this.listen()
    const address = (await this.server).address()
    if (typeof address !== 'object' || address === null) throw new Error('the drill is over')
    const socket = connect({ host: '127.0.0.1', port: address.port, noDelay: true })
    await once(socket, 'connect')
    const port = socket.localPort ?? 0
    this.statuses.set(port, status)
    this.ends.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => {
      this.statuses.delete(port)
      this.ends.delete(socket)
    })
    return socket
  }

  [Symbol.dispose](): void {
    for (const socket of this.ends) socket.destroy()
    this.server?.then(
      (server) => server.close(),
      () => {},
    )
    this.server = null
  }

  private async listen(): Promise<Server> {
    const server = createServer((socket) => this.serve(socket)).unref()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return server
  }

  private serve(socket: Socket): void {
    socket.on('error', () => {})
    socket.once('data', () => {
      const status = this.statuses.get(socket.remotePort ?? 0)
      if (status === undefined) socket.destroy()
      else if (status !== null) {
        socket.write(`HTTP/1.1 ${status} Drill\r\nContent-Type: text/plain\r\nContent-Length: 0\r\n\r\n`)
      }
      socket.resume()
    })
  }
}
