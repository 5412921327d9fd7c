// A fault of our own while a WebSocket was let in was counted, and its 500 written to an answer that no socket belongs
// to: the client waited for ever, and the node was thought to be one request busier from then on. In an event of a stream,
// or behind a request's body, such a fault ended the process and with it every resident's request.
import { describe, expect, it } from '@jest/globals'
import type { Observer } from '../../gateway/model/events.ts'
import { edgeByHand } from '../support/edge-by-hand.ts'
import { eventually } from '../support/eventually.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { wireUpstream } from '../support/wire.ts'

const upgrade =
  'GET /ws HTTP/1.1\r\nHost: a\r\nAccept: application/json\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n'

const switching =
  'HTTP/1.1 101 Switching Protocols\r\nServer: xian-1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'

const fault = (): never => {
  throw new Error('a fault of our own')
}

const told = ['internal Error: a fault of our own']

/** Stands for a fault inside the reading of a node's answer. */
class FaultySet extends Set<string> {
  faulty = true
  override has(): boolean {
    return this.faulty && fault()
  }
}

describe('a fault of our own', () => {
  it.each<{ name: string; observer: Partial<Observer> }>([
    { name: 'while it is let in', observer: { requestBegan: fault } },
    { name: 'while a node is chosen', observer: { attemptStarted: fault } },
  ])('$name: a WebSocket is answered with 500 and closed', async ({ observer }) => {
    await using node = await wireUpstream(() => switching)
    await using edge = await edgeByHand(node.url, { observer })
    const { text, closed } = await sendRaw(edge.port, upgrade)
    expect([statusOf(text), closed]).toEqual([500, true])
    expect(text).toContain('urn:chiyuan:problem:internal')
    expect(edge.faults).toEqual(told)
    expect(node.seen).toEqual([])
    expect(edge.inFlight()).toBe(0)
  })

  it('behind earlier answers on the same connection: the 500 comes after them', async () => {
    await using node = await wireUpstream()
    let began = 0
    const requestBegan = (): void => {
      began += 1
      if (began === 2) fault()
    }
    await using edge = await edgeByHand(node.url, { observer: { requestBegan } })
    const { text, closed } = await sendRaw(edge.port, `GET / HTTP/1.1\r\nHost: a\r\n\r\n${upgrade}`)
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 500'])
    expect(closed).toBe(true)
  })

  it('when its node has accepted: the connection is cut, and nothing of the node gets out', async () => {
    await using node = await wireUpstream(() => switching)
    let opened = 0
    const observer = { streamOpened: () => (opened += 1), streamClosed: () => (opened -= 1) }
    await using edge = await edgeByHand(node.url, { observer, view: { removeFromAnswers: new FaultySet() } })
    expect(await sendRaw(edge.port, upgrade)).toEqual({ text: '', closed: true })
    expect(edge.faults).toEqual(told)
    expect([edge.inFlight(), opened]).toEqual([0, 0])
    await eventually(() => expect(node.connections).toBe(0))
  })

  it('when an event stream’s node has answered: 500, and the next request is served', async () => {
    await using node = await wireUpstream()
    const removeFromAnswers = new FaultySet()
    await using edge = await edgeByHand(node.url, { view: { removeFromAnswers } })
    const ask = () =>
      sendRaw(
        edge.port,
        'GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n',
      )
    expect(statusOf((await ask()).text)).toBe(500)
    expect(edge.faults).toEqual(told)
    expect(edge.inFlight()).toBe(0)
    removeFromAnswers.faulty = false
    expect((await ask()).text).toMatch(/^HTTP\/1\.1 200 .*ok$/s)
  })

  it('behind a body: 500', async () => {
    await using node = await wireUpstream()
    await using edge = await edgeByHand(node.url, { observer: { requestBegan: fault } })
    const request = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi'
    expect(statusOf((await sendRaw(edge.port, request)).text)).toBe(500)
    expect(edge.faults).toEqual(told)
  })
})
