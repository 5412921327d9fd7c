// A refused upload was closed at once with its body unread: the system then resets the connection, and a client that
// sends first and listens later saw a broken connection instead of the 413.
import { connect } from 'node:net'
import { once } from 'node:events'
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { statusOf } from '../support/raw-client.ts'
import { httpUpstream, named } from '../support/upstream.ts'

it('a client that reads only once it has sent gets to read the refusal', async () => {
  await using node = await httpUpstream(named('ok'))
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    limits: { uploadBytes: 2048 },
  })
  for (let i = 0; i < 5; i++) {
    const socket = connect({ port: edge.port, host: '127.0.0.1' })
    socket.pause()
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5000000\r\n\r\n')
    for (let part = 0; part < 50; part++) {
      await new Promise<void>((resolve, reject) => {
        socket.write(Buffer.alloc(100_000), (error) => (error ? reject(error) : resolve()))
      })
    }
    let text = ''
    socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk))
    await once(socket.resume(), 'close')
    expect(statusOf(text)).toBe(413)
  }
})
