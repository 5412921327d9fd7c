// Event streams: at once, for long, cut with their node, ended with their reader.
import type { ServerResponse } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { deadPort, httpUpstream, rawUpstream } from '../support/upstream.ts'
import { eventually } from '../support/eventually.ts'

const accept = { headers: { accept: 'text/event-stream' } }

/** A node that opens event streams and leaves them to the test. */
async function events() {
  const open: ServerResponse[] = []
  const upstream = await httpUpstream((request, response) => {
    open.push(response)
    response.on('close', () => open.splice(open.indexOf(response), 1))
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(`data: hello ${request.url}\n\n`)
  })
  return { upstream, open, [Symbol.asyncDispose]: () => upstream.close() }
}

async function read(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<string> {
  const { value, done } = await reader.read()
  return done ? '(end)' : new TextDecoder().decode(value)
}

async function subscribe(url: string, init: RequestInit = accept) {
  const response = await fetch(url, init)
  const reader = response.body?.getReader()
  if (reader === undefined) throw new Error('no body')
  return { response, reader }
}

describe('an event stream', () => {
  it.each([
    { name: 'asked for as one', init: accept },
    { name: 'that only its answer tells', init: {} },
  ])('$name: each event arrives as it is sent', async ({ init }) => {
    await using node = await events()
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.upstream.url } }])
    const { response, reader } = await subscribe(`${edge.url}/e`, init)
    expect(response.headers.get('content-type')).toBe('text/event-stream')
    expect(await read(reader)).toBe('data: hello /e\n\n')
    for (const word of ['one', 'two', 'three']) {
      node.open[0]?.write(`data: ${word}\n\n`)
      expect(await read(reader)).toBe(`data: ${word}\n\n`)
    }
    node.open[0]?.end()
    expect(await read(reader)).toBe('(end)')
  })

  it('survives a silence longer than every deadline', async () => {
    await using node = await events()
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.upstream.url } }], {
      attempts: { attemptTimeoutMs: 150, totalTimeoutMs: 200, idleTimeoutMs: 100, connectTimeoutMs: 100 },
      limits: { bodyTimeoutMs: 100, headersTimeoutMs: 100, requestTimeoutMs: 100, keepAliveTimeoutMs: 100 },
    })
    const { reader } = await subscribe(edge.url)
    expect(await read(reader)).toContain('hello')
    await new Promise((resolve) => setTimeout(resolve, 700))
    node.open[0]?.write('data: still here\n\n')
    expect(await read(reader)).toBe('data: still here\n\n')
    await reader.cancel()
  })

  it.each([
    { name: 'asked for as one', init: accept },
    { name: 'that only its answer tells', init: {} },
  ])('$name is cut when its node dies, with nothing put into it', async ({ init }) => {
    await using node = await events()
    await using spare = await events()
    await using edge = await startTestGateway([
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': node.upstream.url } },
      { code: '610400', nodes: { 'xianyang-1': spare.upstream.url } },
    ])
    const { reader } = await subscribe(edge.url, init)
    expect(await read(reader)).toContain('hello')
    node.open[0]?.destroy()
    await expect(reader.read()).rejects.toThrow('terminated')
    expect(spare.upstream.requests).toBe(0)
    expect(
      await edge.metric(
        'chiyuan_requests_total',
        'home="610100",level="local",region="610100",outcome="cut"',
      ),
    ).toBe(1)
  })

  it.each([
    { name: 'asked for as one', init: accept },
    { name: 'that only its answer tells', init: {} },
  ])('$name ends at its node when its reader leaves', async ({ init }) => {
    await using node = await events()
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.upstream.url } }])
    const { reader } = await subscribe(edge.url, init)
    expect(await read(reader)).toContain('hello')
    expect(node.open).toHaveLength(1)
    await reader.cancel()
    await eventually(() => expect(node.open).toHaveLength(0))
    await eventually(async () => expect(await edge.metric('chiyuan_streams')).toBe(0))
    expect(await edge.metric('chiyuan_node_in_flight', 'node="xian-1",region="610100"')).toBe(0)
    const left = 'home="610100",level="local",region="610100",outcome="client-left"'
    expect(await edge.metric('chiyuan_requests_total', left)).toBe(1)
  })

  it('whose reader leaves before its node says a word is let go of', async () => {
    await using node = await rawUpstream((socket) => socket.resume())
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
      health: { intervalMs: 60_000, fastIntervalMs: 60_000, downIntervalMs: 60_000 },
    })
    await sendRaw(edge.port, 'GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n', {
      withinMs: 150,
    })
    await eventually(async () => expect(await edge.metric('chiyuan_streams')).toBe(0))
    await eventually(() => expect(node.connections).toBe(0))
    const left = 'home="610100",level="local",region="610100",outcome="client-left"'
    expect(await edge.metric('chiyuan_requests_total', left)).toBe(1)
  })

  it('moves on from nodes that refuse, reset, or hang before the first byte', async () => {
    await using resets = await rawUpstream((socket) => socket.once('data', () => socket.destroy()))
    await using hangs = await rawUpstream((socket) => socket.resume())
    await using node = await events()
    await using edge = await startTestGateway(
      [
        {
          code: '610100',
          neighbours: ['610400'],
          nodes: { refuses: `http://127.0.0.1:${await deadPort()}`, resets: resets.url, hangs: hangs.url },
        },
        { code: '610400', nodes: { 'xianyang-1': node.upstream.url } },
      ],
      {
        attempts: { attemptTimeoutMs: 200, totalTimeoutMs: 2000 },
        health: { intervalMs: 60_000, fastIntervalMs: 60_000 },
      },
    )
    for (let i = 0; i < 4; i++) {
      const { reader } = await subscribe(`${edge.url}/${i}`)
      expect(await read(reader)).toBe(`data: hello /${i}\n\n`)
      await reader.cancel()
    }
  })

  it('is refused with a problem when no node is left, and names none', async () => {
    const port = await deadPort()
    await using edge = await startTestGateway([
      { code: '610100', nodes: { 'xian-1': `http://127.0.0.1:${port}` } },
    ])
    const { text } = await sendRaw(
      edge.port,
      'GET / HTTP/1.1\r\nHost: a\r\nAccept: text/event-stream\r\n\r\n',
    )
    expect(statusOf(text)).toBe(503)
    expect(text).not.toMatch(new RegExp(`127\\.0\\.0\\.1|${port}|xian|ECONN`))
  })
})
