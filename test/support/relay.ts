// A wire that is listened in on: passes bytes between whoever connects and a port, and keeps what goes there.
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

export interface Relay extends AsyncDisposable {
  readonly url: string
  /** All bytes that went to the port, as latin1. */
  readonly heard: string
  /** Ends all connections and takes no more, until it is mended. */
  cut(): void
  mend(): void
}

export async function relayTo(port: number): Promise<Relay> {
  const sockets = new Set<Socket>()
  const heard: Buffer[] = []
  let isCut = false
  const server = createServer((client) => {
    if (isCut) {
      client.destroy()
      return
    }
    const node = connect({ port, host: '127.0.0.1' })
    for (const [socket, other] of [
      [client, node],
      [node, client],
    ] as const) {
      sockets.add(socket)
      socket.on('error', () => other.destroy())
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      socket.pipe(other)
    }
    client.on('data', (bytes: Buffer) => heard.push(bytes))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('a relay listens on a port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    get heard() {
      return Buffer.concat(heard).toString('latin1')
    },
    cut() {
      isCut = true
      for (const socket of sockets) socket.destroy()
    },
    mend() {
      isCut = false
    },
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}
