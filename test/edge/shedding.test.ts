// Too many for every level: who shows a code is kept, who can wait is told so, politely and on a connection that goes on.
import { describe, expect, it } from '@jest/globals'
import { ask, heldNode, region, startCrowd, waiting } from '../support/crowd.ts'
import { eventually } from '../support/eventually.ts'
import { sendRaw } from '../support/raw-client.ts'

const targetWaitMs = 50

/** A city whose one place is taken, and where somebody has waited for longer than is aimed at. */
async function fullCity() {
  const local = await heldNode('local')
  const edge = await startCrowd([region('610100', { 'xian-1': { url: local.node.url, limit: 1 } })], {
    queue: { targetWaitMs, maxWaitMs: 10_000 },
    classes: { deferrable: { routes: [{ path: '/v1/history/**' }] } },
  })
  const kept = [ask(edge, '/v1/codes/served')]
  await eventually(() => expect(local.open).toBe(1))
  kept.push(ask(edge, '/v1/codes/waits'))
  await eventually(async () => expect(await waiting(edge)).toBe(1))
  const since = performance.now()
  await eventually(() => expect(performance.now() - since).toBeGreaterThan(targetWaitMs + 10))
  return {
    local,
    edge,
    kept,
    async [Symbol.asyncDispose]() {
      local.letGo()
      await Promise.all(kept)
      await edge.close()
      await local.node.close()
    },
  }
}

describe('while nothing has room', () => {
  it('deferrable and important requests are shed, critical ones kept and served in the end', async () => {
    await using city = await fullCity()
    const { edge, local, kept } = city
    for (let i = 0; i < 10; i++) {
      expect((await ask(edge, `/v1/history/${i}`)).status).toBe(503)
      expect((await ask(edge, `/v1/tests/${i}`)).status).toBe(503)
    }
    kept.push(...Array.from({ length: 10 }, (_, i) => ask(edge, `/v1/codes/K${i}`)))
    await eventually(async () => expect(await waiting(edge)).toBe(11))
    local.letGo()
    expect((await Promise.all(kept)).every(({ status, body }) => status === 200 && body === 'local')).toBe(
      true,
    )
    expect(local.seen.every((path) => path.startsWith('/v1/codes/'))).toBe(true)
    const shed = (name: string) =>
      edge.metric('chiyuan_shed_total', `home="610100",class="${name}",reason="class"`)
    expect([await shed('critical'), await shed('important'), await shed('deferrable')]).toEqual([0, 10, 10])
    // The crowd is over: nobody is turned away any more.
    expect((await ask(edge, '/v1/history/later')).status).toBe(200)
  })

  it('the answer is a problem, and tells each to come back at another second', async () => {
    await using city = await fullCity()
    const seconds = new Set<number>()
    for (let i = 0; i < 30; i++) {
      const { status, headers, body } = await ask(city.edge, `/v1/history/${i}`)
      expect([status, headers.get('content-type')]).toEqual([503, 'application/problem+json; charset=utf-8'])
      expect(JSON.parse(body)).toMatchObject({ status: 503, type: 'urn:chiyuan:problem:overloaded' })
      expect(headers.get('cache-control')).toBe('no-store')
      seconds.add(Number(headers.get('retry-after')))
    }
    for (const wait of seconds) expect(wait >= 1 && wait <= 30 && Number.isInteger(wait)).toBe(true)
    expect(seconds.size).toBeGreaterThan(2)
  })

  it.each([
    {
      accept: 'text/html',
      language: 'zh-CN,zh;q=0.9,en;q=0.8',
      type: 'text/html',
      says: '当前访问人数过多',
      tag: 'zh-CN',
    },
    {
      accept: 'text/html',
      language: 'en-GB',
      type: 'text/html',
      says: 'Too many requests at present',
      tag: 'en',
    },
    {
      accept: '*/*',
      language: 'zh',
      type: 'application/problem+json',
      says: '当前访问人数过多',
      tag: 'zh-CN',
    },
    { accept: '*/*', language: 'en', type: 'application/problem+json', says: 'Too many requests', tag: 'en' },
  ])('$accept in $language is answered in kind', async ({ accept, language, type, says, tag }) => {
    await using city = await fullCity()
    const headers = { accept, 'accept-language': language }
    const response = await fetch(`${city.edge.url}/v1/history/1`, { headers })
    expect(response.status).toBe(503)
    expect(response.headers.get('content-type')).toBe(`${type}; charset=utf-8`)
    expect(response.headers.get('content-language')).toBe(tag)
    expect(await response.text()).toContain(says)
  })

  it('the connection goes on: the next request on it is served', async () => {
    await using city = await fullCity()
    const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nAccept-Language: en\r\n\r\n`
    const talk = sendRaw(city.edge.port, get('/v1/history/1'), {
      until: '"requestId"',
      next: get('/v1/codes/K'),
      nextUntil: 'local',
    })
    await eventually(async () => expect(await waiting(city.edge)).toBe(2))
    city.local.letGo()
    const { text, closed } = await talk
    expect(closed).toBe(false)
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 503', 'HTTP/1.1 200'])
    expect(text).not.toMatch(/connection: close/i)
  })

  it('a POST that is shed is answered too, its body read, its connection kept', async () => {
    await using city = await fullCity()
    const post = `POST /v1/history/x HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello`
    const { text, closed } = await sendRaw(city.edge.port, post, {
      until: '"requestId"',
      next: post,
      nextUntil: '"requestId"',
      withinMs: 2000,
    })
    expect(closed).toBe(false)
    expect(text.match(/HTTP\/1\.1 503/g)?.length).toBeGreaterThan(0)
  })
})
