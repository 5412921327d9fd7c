// A client that is slow, or means harm, keeps a socket of ours; it must not keep a place at a node from the others.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { expect, it } from '@jest/globals'
import { ask, region, startCrowd } from '../support/crowd.ts'
import { eventually } from '../support/eventually.ts'
import { httpUpstream } from '../support/upstream.ts'

/** A node with one place for all, by what was learnt of it. */
const onePlace = { concurrency: { initial: 1, floor: 1, ceiling: 1 } }
const long = Buffer.alloc(32_000_000)

const cityNode = () =>
  httpUpstream((request, response) => {
    request.resume()
    request.on('end', () => response.end(request.url === '/long' ? long : 'local'))
  })

async function open(port: number, bytes: string): Promise<Socket & Disposable> {
  const socket = connect({ port, host: '127.0.0.1' })
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write(bytes)
  return Object.assign(socket, { [Symbol.dispose]: () => void socket.destroy() })
}

it('a client that does not read a long answer keeps no place, and is let go after idleTimeoutMs', async () => {
  await using node = await cityNode()
  await using edge = await startCrowd([region('610100', { 'xian-1': node.url })], {
    ...onePlace,
    attempts: { idleTimeoutMs: 1500 },
  })
  using reader = await open(edge.port, 'GET /long HTTP/1.1\r\nHost: a\r\n\r\n')
  const closed = once(reader, 'close')
  reader.pause()
  await eventually(() => expect(node.requests).toBe(1))
  const startedAt = performance.now()
  for (let i = 0; i < 10; i++) expect((await ask(edge, `/v1/codes/R${i}`)).status).toBe(200)
  expect(performance.now() - startedAt).toBeLessThan(1200)
  const ended = 'home="610100",level="local",region="610100",outcome="client-left"'
  expect(await edge.metric('chiyuan_requests_total', ended)).toBe(0)
  await eventually(async () => expect(await edge.metric('chiyuan_requests_total', ended)).toBe(1), 4000)
  reader.resume()
  await closed
})

it('a client that sends its body slowly keeps no place, and is told 408', async () => {
  await using node = await cityNode()
  await using edge = await startCrowd([region('610100', { 'xian-1': node.url })], {
    ...onePlace,
    limits: { bodyTimeoutMs: 1500 },
  })
  using sender = await open(
    edge.port,
    'POST /v1/verifications HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab',
  )
  let said = ''
  sender.on('data', (part: Buffer) => (said += part.toString('latin1')))
  const closed = once(sender, 'close')
  // While its body is awaited; on a busy machine it may be told so before the last of the others is answered.
  for (let i = 0; i < 5; i++) expect((await ask(edge, `/v1/codes/R${i}`)).status).toBe(200)
  await closed
  expect(said).toMatch(/^HTTP\/1\.1 408 /)
  expect(node.requests).toBe(5)
})

it('an upload that trickles through keeps no learnt place', async () => {
  await using node = await cityNode()
  await using edge = await startCrowd([region('610100', { 'xian-1': node.url })], onePlace)
  using sender = await open(
    edge.port,
    `POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n${'x'.repeat(100_000)}`,
  )
  await eventually(() => expect(node.requests).toBe(1))
  for (let i = 0; i < 5; i++) expect((await ask(edge, `/v1/codes/R${i}`)).status).toBe(200)
  sender.destroy()
})
