// A node that dies or misspeaks midway: another node where nothing is lost by it, else a cut; never a forged end.
import { describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway, type TestRegion } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { httpUpstream, named, rawUpstream, type Upstream } from '../support/upstream.ts'
import { wireUpstream } from '../support/wire.ts'

const two = (first: Upstream, second: Upstream): TestRegion[] => [
  { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': first.url } },
  { code: '610400', nodes: { 'xianyang-1': second.url } },
]

const part = 'P'.repeat(400_000)

describe('an answer too long to hold, cut off by its node', () => {
  it.each([
    { name: 'with a length', head: 'Content-Length: 900000\r\n\r\n', body: part },
    {
      name: 'in chunks',
      head: 'Transfer-Encoding: chunked\r\n\r\n',
      body: `${part.length.toString(16)}\r\n${part}\r\n`,
    },
    { name: 'inside a chunk', head: 'Transfer-Encoding: chunked\r\n\r\n', body: `fffff\r\n${part}` },
    {
      name: 'by a chunk that is none',
      head: 'Transfer-Encoding: chunked\r\n\r\n',
      body: `61a80\r\n${part}\r\nzz\r\n`,
    },
  ])('$name: the resident’s connection is cut under it', async ({ head, body }) => {
    for (const accept of ['', 'Accept: text/event-stream\r\n']) {
      await using node = await wireUpstream((_request, socket) => {
        socket.write(`HTTP/1.1 200 OK\r\n${head}${body}`, 'latin1', () => socket.end())
      })
      await using helper = await httpUpstream(named('neighbour'))
      await using edge = await startTestGateway(two(node, helper))
      const { text, closed } = await sendRaw(edge.port, `GET / HTTP/1.1\r\nHost: a\r\n${accept}\r\n`)
      expect(statusOf(text)).toBe(200)
      expect(closed).toBe(true)
      expect(text).not.toMatch(/0\r\n\r\n$/)
      expect(text.slice(text.indexOf('\r\n\r\n') + 4).replace(/^[0-9a-f]+\r\n|\r\n[0-9a-f]*/gm, '')).toMatch(
        /^P*$/,
      )
      expect(helper.requests).toBe(0)
      const cut = 'home="610100",level="local",region="610100",outcome="cut"'
      expect(await edge.metric('chiyuan_requests_total', cut)).toBe(1)
    }
  })
})

describe('an answer short enough to hold, cut off by its node', () => {
  it.each([
    { name: 'with a length', head: 'Content-Length: 900\r\n\r\n' },
    { name: 'in chunks', head: 'Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n' },
    { name: 'inside a chunk', head: 'Transfer-Encoding: chunked\r\n\r\nff\r\nhello' },
    { name: 'before its trailers end', head: 'Transfer-Encoding: chunked\r\n\r\n0\r\nX-A: b\r\n' },
  ])('$name: another node answers a GET, nobody a POST', async ({ head }) => {
    await using node = await wireUpstream((_request, socket) => {
      socket.end(`HTTP/1.1 200 OK\r\n${head}`)
    })
    await using helper = await httpUpstream(named('neighbour'))
    await using edge = await startTestGateway(two(node, helper))
    const got = await sendRaw(edge.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', { until: 'neighbour' })
    expect(statusOf(got.text)).toBe(200)
    expect(got.text.match(/HTTP\/1\.1/g)).toHaveLength(1)
    expect(got.text).toMatch(/\r\n\r\nneighbour$/)
    const posted = await sendRaw(edge.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx', {
      until: '}',
    })
    expect(statusOf(posted.text)).toBe(502)
    expect(posted.text).not.toMatch(/hello|127\.0\.0\.1|xian/)
    expect(helper.requests).toBe(1)
  })
})

describe('a node that says more than it was asked', () => {
  const extra = 'HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nPOISONED'
  it.each([
    { name: 'answers twice at once', late: 0, bytes: extra },
    { name: 'answers twice, the second time a little later', late: 5, bytes: extra },
    { name: 'sends garbage behind its answer', late: 0, bytes: 'garbage' },
  ])('$name: every resident gets the answer to his own request', async ({ late, bytes }) => {
    await using node = await wireUpstream((request, socket) => {
      const path = request.split(' ')[1] ?? ''
      const answer = `HTTP/1.1 200 OK\r\nContent-Length: ${path.length}\r\n\r\n${path}`
      socket.write(late === 0 ? answer + bytes : answer)
      if (late > 0) setTimeout(() => socket.write(bytes), late)
    })
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    for (let i = 0; i < 10; i++) {
      expect(await (await fetch(`${edge.url}/${i}`)).text()).toBe(`/${i}`)
      if (late > 0) await new Promise((resolve) => setTimeout(resolve, late * 2))
    }
    const streamed = await fetch(`${edge.url}/s`, { headers: { accept: 'text/event-stream' } })
    expect(await streamed.text()).toBe('/s')
  })
})

describe('a node that answers before it has the whole body', () => {
  const upload = (edge: TestGateway): Promise<Response> =>
    fetch(`${edge.url}/`, { method: 'POST', body: 'x'.repeat(3_000_000) })

  it('and reads on: its answer arrives', async () => {
    let answered = false
    await using node = await httpUpstream((request, response) => {
      request.once('data', () => {
        answered = true
        response.writeHead(422).end('not like this')
      })
      request.resume()
    })
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
    const response = await upload(edge)
    expect([response.status, await response.text(), answered]).toEqual([422, 'not like this', true])
  })

  it('and hangs up: its answer arrives all the same', async () => {
    await using early = await rawUpstream((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 413 Too Large\r\nConnection: close\r\nContent-Length: 8\r\n\r\ntoo much'),
      )
    })
    await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': early.url } }])
    const head = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n'
    const { text } = await sendRaw(edge.port, head + 'x'.repeat(200_000), { until: 'too much' })
    expect(statusOf(text)).toBe(413)
  })
})
