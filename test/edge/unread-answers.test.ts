// A client that reads nothing of a short answer, over HTTP/1.1, is let go; one that reads slowly gets all of it.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream } from '../support/upstream.ts'

const answer = Buffer.alloc(200_000, 'x')
/** Enough answers that the kernel's buffers can't take them all. */
const requests = 60

async function asking(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.pause()
  socket.write('GET /v1/codes/R1 HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(requests))
  return socket
}

it('ends the connection of who reads nothing, and leaves who reads slowly', async () => {
  await using node = await httpUpstream((_request, response) => response.end(answer))
  await using gateway = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    attempts: { idleTimeoutMs: 2000 },
    // All of them are to be answered, however busy the machine is.
    concurrency: { initial: 1000 },
  })
  const [deaf, slow] = [await asking(gateway.port), await asking(gateway.port)]
  try {
    deaf.on('error', () => {})
    await allReadSlowly(slow)
    await eventually(async () => expect(await gateway.metric('chiyuan_connections')).toBe(1), 15_000)
    // All of it was for the one who read.
    expect(slow.destroyed).toBe(false)
  } finally {
    slow.destroy()
    deaf.destroy()
  }
}, 30_000)

/** Reads with pauses, until every answer is in. */
function allReadSlowly(socket: Socket): Promise<void> {
  let left = requests * answer.length
  return new Promise((resolve, reject) => {
    socket.on('close', () => reject(new Error(`closed ${left} bytes before the end`)))
    socket.on('data', (part: Buffer) => {
      left -= part.length
      if (left <= 0) {
        resolve()
        return
      }
      socket.pause()
      setTimeout(() => socket.resume(), 1)
    })
    socket.resume()
  })
}
