// An attacker asks while a resident's own request is in flight, as like it as can be, to be handed its answer.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals'
import { get } from 'node:http'
import { text as textOf } from 'node:stream/consumers'
import { eventually } from '../support/eventually.ts'
import { type GatedNode, gatedNode, type Held } from '../support/gated-node.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { connectH2, request } from '../support/h2-client.ts'
import { sendRaw } from '../support/raw-client.ts'
import { selfSigned } from '../support/self-signed.ts'

const classes = { critical: { coalesce: true, routes: [{ path: '/r/**' }, { path: '/v1/**' }] } }
const patient = { hedging: { enabled: false } }
let node: GatedNode
let open: TestGateway
let proxied: TestGateway

beforeAll(async () => {
  node = await gatedNode()
  const regions = [
    { code: '610100', nodes: { 'xian-1': node.node.url } },
    { code: '610400', neighbours: ['610100'], nodes: {} },
  ]
  const settings = {
    classes,
    ...patient,
    home: { default: '610100', header: 'x-home' },
    resident: { header: 'x-real-ip', cookie: 'sid' },
  }
  open = await startTestGateway(regions, settings)
  proxied = await startTestGateway(regions, { ...settings, headers: { trustedProxies: ['127.0.0.1'] } })
})

// What a failed test left unanswered is not the next one's.
afterEach(() => node.answer(({ response }) => response.destroy()))

afterAll(async () => {
  await open.close()
  await proxied.close()
  await node.node.close()
})

const ask = (headers: string, line = 'GET /v1/codes/R1', host = 'a'): string =>
  `${line} HTTP/1.1\r\nHost: ${host}\r\n${headers}\r\n`
const numbered = ({ response }: Held, index: number): void => void response.end(`<${index}>`)

/** Asks both while neither is answered; the answers' numbers tell the upstream requests. */
async function answersTo(
  edge: TestGateway,
  first: string,
  second: string,
  calls: number,
): Promise<(string | undefined)[]> {
  const shared = await edge.metric('chiyuan_coalesced_total', 'home="610100",class="critical"')
  const one = sendRaw(edge.port, first, { until: '>' })
  await node.holds(1)
  const other = sendRaw(edge.port, second, { until: '>' })
  await node.holds(calls)
  if (calls === 1) {
    await eventually(async () =>
      expect(await edge.metric('chiyuan_coalesced_total', 'home="610100",class="critical"')).toBe(shared + 1),
    )
  }
  node.answer(numbered)
  return [await one, await other].map(({ text }) => /<\d+>/.exec(text)?.[0])
}

describe('share an answer', () => {
  it.each([
    { name: 'the same twice', more: '' },
    { name: 'with a credential', more: 'Authorization: Bearer A\r\nCookie: sid=1\r\n' },
    {
      name: 'with names spelt otherwise',
      more: 'AUTHORIZATION: Bearer A\r\n',
      second: 'authorization: Bearer A\r\n',
    },
    { name: 'with other traces', more: 'X-Request-Id: one\r\n', second: 'X-Request-Id: two\r\n' },
  ])('$name', async ({ more, second = more }) => {
    expect(await answersTo(open, ask(more), ask(second), 1)).toEqual(['<0>', '<0>'])
  })
})

const bearer = 'Authorization: Bearer A\r\n'

describe('never share an answer', () => {
  it.each([
    { name: 'other credential', a: ask(bearer), b: ask('Authorization: Bearer B\r\n') },
    { name: 'no credential', a: ask(bearer), b: ask('') },
    { name: 'credential said twice', a: ask(bearer), b: ask(bearer + bearer) },
    { name: 'one of two credentials', a: ask(`${bearer}Authorization: Bearer B\r\n`), b: ask(bearer) },
    {
      name: 'credential kept from the node',
      a: ask(bearer),
      b: ask(`${bearer}Connection: Authorization\r\n`),
    },
    {
      name: 'two credentials, both kept from the node',
      a: ask(`${bearer}Connection: Authorization\r\n`),
      b: ask('Authorization: Bearer B\r\nConnection: Authorization\r\n'),
    },
    {
      name: 'credential of a proxy',
      a: ask('Proxy-Authorization: A\r\n'),
      b: ask('Proxy-Authorization: B\r\n'),
    },
    { name: 'other cookie', a: ask('Cookie: sid=1\r\n'), b: ask('Cookie: sid=2\r\n') },
    {
      name: 'two residents by a cookie that is kept from the node',
      a: ask('Cookie: sid=1\r\nConnection: cookie\r\n', 'GET /v1/me'),
      b: ask('Cookie: sid=2\r\nConnection: cookie\r\n', 'GET /v1/me'),
    },
    {
      name: 'two residents by a header that does not go on',
      a: ask('X-Real-IP: R1\r\n', 'GET /v1/me'),
      b: ask('X-Real-IP: R2\r\n', 'GET /v1/me'),
    },
    { name: 'other resident in the path', a: ask(''), b: ask('', 'GET /v1/codes/R2') },
    { name: 'the same path, encoded', a: ask(''), b: ask('', 'GET /v1/codes/%52%31') },
    { name: 'the same path, doubled slash', a: ask(''), b: ask('', 'GET //v1/codes/R1'), elsewhere: true },
    { name: 'other query', a: ask('', 'GET /v1/codes/R1?a=1'), b: ask('', 'GET /v1/codes/R1?a=2') },
    {
      name: 'HEAD beside GET',
      a: ask(''),
      b: ask('Connection: close\r\n', 'HEAD /v1/codes/R1'),
      elsewhere: true,
    },
    { name: 'other host', a: ask(''), b: ask('', 'GET /v1/codes/R1', 'b') },
    { name: 'other home', a: ask(''), b: ask('X-Home: 610400\r\n') },
    { name: 'other media type', a: ask('Accept: text/html\r\n'), b: ask('Accept: application/json\r\n') },
    { name: 'other language', a: ask('Accept-Language: zh\r\n'), b: ask('Accept-Language: en\r\n') },
    { name: 'a part', a: ask(''), b: ask('Range: bytes=0-0\r\n') },
    { name: 'a condition', a: ask(''), b: ask('If-None-Match: "x"\r\n') },
    { name: 'the next header in a value', a: ask('X-A: 1\r\nX-B: 2\r\n'), b: ask('X-A: 1\\nx-b\\n2\r\n') },
    { name: 'a tab for a separator', a: ask('X-A: 1\r\nX-B: 2\r\n'), b: ask('X-A: 1\tx-b\t2\r\n') },
    { name: 'values changed about', a: ask('X-A: 1\r\nX-B: 2\r\n'), b: ask('X-A: 2\r\nX-B: 1\r\n') },
  ])('$name', async ({ a, b, elsewhere }) => {
    const [mine, other] = await answersTo(open, a, b, 2)
    expect(mine).toBe('<0>')
    if (elsewhere !== true) expect(other).toBe('<1>')
  })

  it.each([
    {
      name: 'who came through a proxy for another',
      a: 'X-Forwarded-For: 1.1.1.1\r\n',
      b: 'X-Forwarded-For: 2.2.2.2\r\n',
    },
    { name: 'the literal null', a: '', b: 'X-Forwarded-For: null\r\n' },
    { name: 'RFC 7239', a: 'Forwarded: for=1.1.1.1\r\n', b: 'Forwarded: for=2.2.2.2\r\n' },
    { name: 'a user that the proxy names', a: 'X-Forwarded-User: A\r\n', b: 'X-Forwarded-User: B\r\n' },
    { name: 'another scheme', a: 'X-Forwarded-Proto: https\r\n', b: 'X-Forwarded-Proto: http\r\n' },
    { name: 'another host', a: 'X-Forwarded-Host: a\r\n', b: 'X-Forwarded-Host: b\r\n' },
  ])('behind a trusted proxy: $name', async ({ a, b }) => {
    expect(await answersTo(proxied, ask(a), ask(b), 2)).toEqual(['<0>', '<1>'])
  })

  it('who asks from another address', async () => {
    const from = (localAddress: string): Promise<string> =>
      new Promise((resolve, reject) => {
        const options = {
          port: open.port,
          host: '127.0.0.1',
          path: '/v1/codes/R1',
          localAddress,
          agent: false,
        }
        get({ ...options, headers: { host: 'a' } }, (answer) => void textOf(answer).then(resolve, reject)).on(
          'error',
          reject,
        )
      })
    const one = from('127.0.0.1')
    await node.holds(1)
    const other = from('127.0.0.2')
    await node.holds(2)
    node.answer(numbered)
    expect(await Promise.all([one, other])).toEqual(['<0>', '<1>'])
  })

  it('who sends what no header may hold is refused before there is a key', async () => {
    const one = sendRaw(open.port, ask('X-A: 1\r\nX-B: 2\r\n'), { until: '>' })
    await node.holds(1)
    for (const crafted of [
      'X-A: 1\nx-b\n2\r\n',
      'X-A: 1\rx-b\r2\r\n',
      'X-A: 1\r\n x-b: 2\r\n',
      'X-A: 1\0\r\n',
    ]) {
      const { text } = await sendRaw(open.port, ask(crafted), { until: '\r\n\r\n', withinMs: 2000 })
      expect(text).toMatch(/^HTTP\/1\.1 400 /)
    }
    node.answer(numbered)
    expect((await one).text).toContain('<0>')
  })
})

it('HTTP/2: one upstream request for each credential, and its own answer, whoever asks at once', async () => {
  await using files = await selfSigned()
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.node.url } }], {
    classes,
    ...patient,
    public: { port: 0, tls: { certFile: files.certFile, keyFile: files.keyFile } },
  })
  using h2 = connectH2(edge.port)
  const head = { ':path': '/v1/codes/R1', ':authority': 'a' }
  const credentials = ['Bearer A', 'Bearer B', 'Bearer C', 'Bearer A', 'Bearer B']
  const asked = credentials.map((authorization) => request(h2.session, { ...head, authorization }))
  await eventually(async () =>
    expect(await edge.metric('chiyuan_coalesced_total', 'home="610100",class="critical"')).toBe(2),
  )
  await node.holds(3)
  node.answer(({ request: { headers }, response }) => response.end(headers.authorization))
  expect((await Promise.all(asked)).map(({ body }) => body.toString())).toEqual(credentials)
})
