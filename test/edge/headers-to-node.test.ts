// What a node is told: the resident's own headers as they were spelt, the way by the RFCs, and nobody's lies.
import { describe, expect, it } from '@jest/globals'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { headerIn, type Wire, wireUpstream } from '../support/wire.ts'

/** Both ways that a request can take: replayable, and as a stream. */
const ways = [
  { way: 'replayable', head: '' },
  { way: 'stream', head: 'Accept: text/event-stream\r\n' },
]

interface Rig extends AsyncDisposable {
  readonly edge: TestGateway
  readonly node: Wire
  ask(headers: string, start?: string): Promise<string>
}

async function rig(changes: Record<string, unknown> = {}): Promise<Rig> {
  const requests: string[] = []
  const node = await wireUpstream((request) => {
    requests.push(request)
    return 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  })
  const edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], changes)
  return {
    edge,
    node,
    async ask(headers, start = 'GET / HTTP/1.1') {
      requests.length = 0
      const { text } = await sendRaw(edge.port, `${start}\r\nHost: jkm.example\r\n${headers}\r\n`, {
        until: '\r\n\r\nok',
      })
      expect(statusOf(text)).toBe(200)
      return requests[0] ?? ''
    },
    async [Symbol.asyncDispose]() {
      await edge.close()
      await node.close()
    },
  }
}

describe.each(ways)('$way', ({ head }) => {
  it('keeps names as spelt, their order, and repeated headers', async () => {
    await using r = await rig()
    const seen = await r.ask(
      `${head}X-MixedCase: 1\r\nx-lower: 2\r\nX-Twice: a\r\nX-Twice: b\r\nACCEPT-LANGUAGE: zh\r\n`,
    )
    expect(seen).toMatch(
      /X-MixedCase: 1\r\nx-lower: 2\r\nX-Twice: a\r\nX-Twice: b\r\nACCEPT-LANGUAGE: zh\r\n/,
    )
    const odd = await r.ask(
      `${head}Authorization: Bearer a, b\r\nX-Utf: \xe4\xb8\xad\xe6\x96\x87\r\nX-Empty:\r\n`,
    )
    expect(odd).toContain('Authorization: Bearer a, b\r\n')
    expect(odd).toContain('X-Utf: \xe4\xb8\xad\xe6\x96\x87\r\n')
    expect(headerIn(odd, 'x-empty')).toBe('')
  })

  it('keeps names that objects have, and every sign that a name may have', async () => {
    await using r = await rig()
    const odd = "__proto__: a\r\n__proto__: b\r\nconstructor: c\r\ntoString: d\r\n!#$%&'*+-.^_`|~9: e\r\n"
    expect(await r.ask(head + odd)).toContain(odd)
  })

  it('keeps cookies and joins split ones', async () => {
    await using r = await rig()
    expect(headerIn(await r.ask(`${head}Cookie: a=1; b=2\r\n`), 'cookie')).toBe('a=1; b=2')
    expect(headerIn(await r.ask(`${head}Cookie: a=1\r\nCookie: b=2\r\n`), 'cookie')).toBe('a=1; b=2')
  })

  it('takes off what is for one connection alone', async () => {
    await using r = await rig()
    const seen = await r.ask(
      `${head}Connection: X-Private, close, x-other\r\nX-Private: 1\r\nX-OTHER: 2\r\nX-Kept: 3\r\n` +
        'Keep-Alive: timeout=5\r\nProxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\n' +
        'TE: trailers\r\nTrailer: X-T\r\nHTTP2-Settings: AAMAAABk\r\nExpect: 100-continue\r\n',
    )
    for (const name of [
      'x-private',
      'x-other',
      'keep-alive',
      'te',
      'trailer',
      'http2-settings',
      'upgrade',
      'expect',
    ]) {
      expect([name, headerIn(seen, name)]).toEqual([name, undefined])
    }
    expect(seen.toLowerCase()).not.toContain('proxy-')
    expect(headerIn(seen, 'x-kept')).toBe('3')
    expect(headerIn(seen, 'connection')).not.toMatch(/private|other/i)
  })

  it('does not let Connection take off what the gateway says', async () => {
    await using r = await rig()
    const names =
      'host, via, cdn-loop, x-forwarded-for, x-forwarded-proto, x-request-id, traceparent, content-length'
    const seen = await r.ask(`${head}Connection: ${names}\r\n`)
    for (const name of ['host', 'via', 'cdn-loop', 'x-forwarded-for', 'x-forwarded-proto', 'x-request-id'])
      expect([name, headerIn(seen, name)]).not.toEqual([name, undefined])
  })

  it('believes nobody about the way unless configured', async () => {
    await using r = await rig()
    const seen = await r.ask(
      `${head}X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: evil\r\n` +
        'Forwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\nX-Forwarded-Port: 1\r\nX-Chiyuan-Route: x\r\n',
    )
    expect(headerIn(seen, 'x-forwarded-for')).toBe('127.0.0.1')
    expect(headerIn(seen, 'x-forwarded-proto')).toBe('http')
    expect(headerIn(seen, 'x-forwarded-host')).toBe('jkm.example')
    expect(seen).not.toMatch(/6\.6\.6\.6|evil|x-real-ip|x-forwarded-port|x-chiyuan/i)
    expect(headerIn(seen, 'forwarded')).toBeUndefined()
  })

  it('adds to what a trusted proxy says of the way', async () => {
    await using r = await rig({ headers: { trustedProxies: ['127.0.0.0/8'] } })
    const seen = await r.ask(
      `${head}X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: https\r\n` +
        'X-Forwarded-Host: jkm.example\r\nForwarded: for=1.2.3.4;proto=https\r\n',
    )
    expect(headerIn(seen, 'x-forwarded-for')).toBe('1.2.3.4, 10.0.0.1, 127.0.0.1')
    expect(headerIn(seen, 'x-forwarded-proto')).toBe('https')
    expect(headerIn(seen, 'forwarded')).toBe(
      'for=1.2.3.4;proto=https, for=127.0.0.1;host="jkm.example";proto=https',
    )
  })

  it('says by Via and CDN-Loop that it came through here', async () => {
    await using r = await rig({ gatewayId: 'gw-xian' })
    const seen = await r.ask(`${head}Via: 1.0 fred\r\nVia: 1.1 bob\r\nCDN-Loop: other; a=b\r\n`)
    expect(headerIn(seen, 'via')).toBe('1.0 fred, 1.1 bob, 1.1 gw-xian')
    expect(headerIn(seen, 'cdn-loop')).toBe('other; a=b, gw-xian')
    expect(headerIn(await r.ask(head, 'GET / HTTP/1.0'), 'via')).toBe('1.0 gw-xian')
  })

  it('keeps a trace and a request id, and begins both where none is usable', async () => {
    await using r = await rig()
    const trace = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const kept = await r.ask(`${head}traceparent: ${trace}\r\ntracestate: a=b\r\nX-Request-Id: abc-1\r\n`)
    expect(headerIn(kept, 'traceparent')).toBe(trace)
    expect(headerIn(kept, 'tracestate')).toBe('a=b')
    expect(headerIn(kept, 'x-request-id')).toBe('abc-1')
    const fresh = await r.ask(`${head}traceparent: 00-0-0-0\r\nX-Request-Id: "<script>"\r\n`)
    expect(headerIn(fresh, 'traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
    expect(headerIn(fresh, 'x-request-id')).toMatch(/^[0-9a-f]{32}$/)
    const again = await r.ask(head)
    expect(headerIn(again, 'traceparent')).not.toBe(headerIn(fresh, 'traceparent'))
  })
})

describe('a request that has been here', () => {
  it.each([
    { name: 'by its own name', loop: 'a, Chiyuan; x=y, b', reason: 'loop' },
    { name: 'through too many gateways', loop: 'a, b, c, d, e', reason: 'too-many-hops' },
  ])('$name is refused with 508', async ({ loop, reason }) => {
    await using r = await rig()
    const { text } = await sendRaw(r.edge.port, `GET / HTTP/1.1\r\nHost: a\r\nCDN-Loop: ${loop}\r\n\r\n`)
    expect(statusOf(text)).toBe(508)
    expect(r.node.seen).toEqual([])
    expect(await r.edge.metric('chiyuan_refusals_total', `reason="${reason}"`)).toBe(1)
  })
})
