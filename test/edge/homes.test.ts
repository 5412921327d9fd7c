// Whose resident's request it is: by path, header, host or default; never by a guess.
import { describe, expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { httpUpstream, type Upstream } from '../support/upstream.ts'

interface Row {
  readonly name: string
  readonly target?: string
  readonly host?: string
  readonly headers?: string
  /** `REGION path` as a node answers, or a refusal's status. */
  readonly gives: string | number
}

const echo = (region: string): Promise<Upstream> =>
  httpUpstream((request, response) => response.end(`<${region} ${request.url}>`))

async function check(home: Record<string, unknown>, rows: readonly Row[]): Promise<void> {
  await using xian = await echo('610100')
  await using xianyang = await echo('610400')
  await using edge = await startTestGateway(
    [
      { code: '610100', nodes: { 'xian-1': xian.url } },
      { code: '610400', nodes: { 'xianyang-1': xianyang.url } },
    ],
    { home: { default: undefined, ...home } },
  )
  for (const { name, target = '/x', host = 'a', headers = '', gives } of rows) {
    const bytes = `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n${headers}Connection: close\r\n\r\n`
    const { text } = await sendRaw(edge.port, bytes)
    if (typeof gives === 'number') expect([name, statusOf(text)]).toEqual([name, gives])
    else expect([name, /<.*>/.exec(text)?.[0]]).toEqual([name, `<${gives}>`])
  }
  const refused = rows.filter((row) => typeof row.gives === 'number').length
  const counted = await Promise.all(
    ['unknown-host', 'unknown-home', 'bad-host'].map((reason) =>
      edge.metric('chiyuan_refusals_total', `reason="${reason}"`),
    ),
  )
  expect(counted.reduce((sum, count) => sum + count, 0)).toBe(refused)
}

describe('the home region', () => {
  it('is known by host name, whatever its case, port or final dot', () =>
    check({ hosts: { 'Jkm.Xa.Example': '610100', 'jkm.xy.example.': '610400', '[::1]': '610400' } }, [
      { name: 'plain', host: 'jkm.xa.example', gives: '610100 /x' },
      { name: 'port', host: 'jkm.xa.example:8100', gives: '610100 /x' },
      { name: 'case', host: 'JKM.XA.EXAMPLE', gives: '610100 /x' },
      { name: 'dot', host: 'jkm.xa.example.', gives: '610100 /x' },
      { name: 'dot and port', host: 'jkm.xa.example.:80', gives: '610100 /x' },
      { name: 'dot in the configuration', host: 'jkm.xy.example', gives: '610400 /x' },
      { name: 'IPv6', host: '[::1]:8100', gives: '610400 /x' },
      {
        name: 'absolute target over Host',
        target: 'http://jkm.xy.example/y',
        host: 'jkm.xa.example',
        gives: '610400 /y',
      },
      { name: 'unknown', host: 'jkm.bj.example', gives: 421 },
      { name: 'a name that objects have', host: 'constructor', gives: 421 },
      { name: 'no port after the colon', host: 'jkm.xa.example:', gives: 400 },
      { name: 'a port that is none', host: 'jkm.xa.example:8a', gives: 400 },
      { name: 'IPv6 without brackets', host: '::1', gives: 400 },
    ]))

  it('is known by a path prefix, which is taken off', () =>
    check({ pathPrefix: '/r/{home}', default: '610400' }, [
      { name: 'prefix', target: '/r/610100/v1/codes/R1?a=b', gives: '610100 /v1/codes/R1?a=b' },
      { name: 'prefix alone', target: '/r/610100', gives: '610100 /' },
      { name: 'prefix and slash', target: '/r/610100/', gives: '610100 /' },
      { name: 'prefix and query', target: '/r/610100?a', gives: '610100 /?a' },
      { name: 'two slashes', target: '/r/610100//a', gives: '610100 //a' },
      { name: 'unknown home', target: '/r/110000/x', gives: 404 },
      { name: 'empty home', target: '/r//x', gives: 404 },
      { name: 'home in a longer number', target: '/r/6101001/x', gives: 404 },
      { name: 'encoded home', target: '/r/61010%30/x', gives: 404 },
      { name: 'another path', target: '/rest', gives: '610400 /rest' },
    ]))

  it('is known by a path prefix, which is kept where so configured', () =>
    check({ pathPrefix: '/{home}', stripPathPrefix: false }, [
      { name: 'prefix', target: '/610100/x', gives: '610100 /610100/x' },
      { name: 'unknown', target: '/x', gives: 404 },
    ]))

  it('is known by a header', () =>
    check({ header: 'X-Home-Region', default: '610100' }, [
      { name: 'header', headers: 'x-home-region: 610400\r\n', gives: '610400 /x' },
      { name: 'blanks around', headers: 'X-Home-Region:  610400 \r\n', gives: '610400 /x' },
      { name: 'unknown', headers: 'X-Home-Region: 110000\r\n', gives: 404 },
      { name: 'twice', headers: 'X-Home-Region: 610400\r\nX-Home-Region: 610100\r\n', gives: 404 },
      { name: 'empty', headers: 'X-Home-Region:\r\n', gives: 404 },
      { name: 'none', gives: '610100 /x' },
    ]))

  it('is asked for by path before header before host', () =>
    check({ pathPrefix: '/r/{home}', header: 'x-home', hosts: { a: '610100' } }, [
      { name: 'path', target: '/r/610400/x', headers: 'X-Home: 610100\r\n', gives: '610400 /x' },
      { name: 'header', headers: 'X-Home: 610400\r\n', gives: '610400 /x' },
      { name: 'host', gives: '610100 /x' },
      { name: 'none of them', host: 'b', gives: 421 },
    ]))
})
