// A resident who refreshes and refreshes costs one upstream request at a time, and each of the repeats gets its answer.
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { type GatedNode, gatedNode, type Held } from '../support/gated-node.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'

const coalescing = { classes: { critical: { coalesce: true } } }
let node: GatedNode
let helper: GatedNode
let edge: TestGateway

beforeEach(async () => {
  node = await gatedNode()
  helper = await gatedNode()
  edge = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': node.node.url } },
      { code: '610400', nodes: { 'xianyang-1': helper.node.url } },
    ],
    coalescing,
  )
})

afterEach(async () => {
  await edge.close()
  await node.node.close()
  await helper.node.close()
})

const ofClass = 'home="610100",class="critical"'
const shared = (count: number): Promise<void> =>
  eventually(async () => expect(await edge.metric('chiyuan_coalesced_total', ofClass)).toBe(count))
const inFlight = (): Promise<number> => edge.metric('chiyuan_requests_in_flight', 'home="610100"')
const ended = (outcome: string, level = 'local', region = '610100'): Promise<number> =>
  edge.metric(
    'chiyuan_requests_total',
    `home="610100",level="${level}",region="${region}",outcome="${outcome}"`,
  )

const code = (init: RequestInit = {}): Promise<Response> => fetch(`${edge.url}/v1/codes/R1`, init)

/** One that asks, and `count` more who join it. */
async function together(count: number, first: RequestInit = {}): Promise<Promise<Response>[]> {
  const asked = [code(first)]
  await node.holds(1)
  for (let i = 0; i < count; i++) asked.push(code())
  await shared(count)
  return asked
}

const textsOf = (asked: readonly Promise<Response>[]): Promise<string[]> =>
  Promise.all(asked.map(async (one) => (await one).text()))
const answered = async (asked: readonly Promise<Response>[]) =>
  (await Promise.all(asked)).map(({ status }) => status)

describe('a storm', () => {
  it('of refreshes costs one upstream request at a time', async () => {
    for (const round of ['first', 'second']) {
      const asked = [code()]
      await node.holds(1)
      for (let i = 0; i < 49; i++) asked.push(code())
      await shared(round === 'first' ? 49 : 98)
      expect(await inFlight()).toBe(50)
      node.answer(({ response }) => response.end(round))
      expect(await textsOf(asked)).toEqual(Array.from({ length: 50 }, () => round))
    }
    expect([node.node.requests, await inFlight(), await ended('ok')]).toEqual([2, 0, 100])
  })

  it('of 500 at once is answered whole and warns of nothing', async () => {
    const warnings: string[] = []
    const warned = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', warned)
    try {
      const last = 'GET /v1/codes/R1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
      const asked = Array.from({ length: 500 }, () => sendRaw(edge.port, last))
      await shared(499)
      const body = 'B'.repeat(2000)
      node.answer(({ response }) => response.end(body))
      for (const { text } of await Promise.all(asked)) expect(text.split(body)).toHaveLength(2)
      expect([node.node.requests, await inFlight(), await ended('ok')]).toEqual([1, 0, 500])
      expect(warnings).toEqual([])
    } finally {
      process.off('warning', warned)
    }
  })
})

describe('an answer', () => {
  it.each([
    { status: 404, body: 'unknown' },
    { status: 204, body: '' },
  ])('with status $status is everybody’s', async ({ status, body }) => {
    const asked = await together(2)
    node.answer(({ response }) => response.writeHead(status, { 'x-signed': 'yes' }).end(body))
    for (const response of await Promise.all(asked)) {
      expect([response.status, response.headers.get('x-signed'), await response.text()]).toEqual([
        status,
        'yes',
        body,
      ])
    }
    expect(node.node.requests).toBe(1)
  })

  it('carries to each the id that it asked under, and the way to none', async () => {
    const asked = [code({ headers: { 'x-request-id': 'mine-1234' } })]
    await node.holds(1)
    asked.push(code({ headers: { 'x-request-id': 'mine-5678' } }), code())
    await shared(2)
    node.answer(({ response }) => response.setHeader('x-request-id', 'of the node').end('code'))
    const heads = (await Promise.all(asked)).map(({ headers }) => headers)
    expect(heads.slice(0, 2).map((head) => head.get('x-request-id'))).toEqual(['mine-1234', 'mine-5678'])
    expect(new Set(heads.map((head) => head.get('x-request-id'))).size).toBe(3)
    expect(heads.map((head) => head.get('x-chiyuan-route'))).toEqual([null, null, null])
  })

  it.each([
    {
      name: 'that sets a cookie',
      how: ({ response }: Held, of: string) => response.setHeader('set-cookie', `sid=${of}`).end(of),
    },
    {
      name: 'too long to hold',
      how: ({ response }: Held, of: string) => response.end(of + 'L'.repeat(300_000)),
    },
    {
      name: 'of events',
      how: ({ response }: Held, of: string) =>
        response.setHeader('content-type', 'text/event-stream').end(of),
    },
  ])('$name is one resident’s; the others are served by themselves', async ({ how }) => {
    const asked = await together(2)
    node.answer((held) => how(held, 'A'))
    await node.holds(2)
    node.answer((held, index) => how(held, 'BC'.charAt(index)))
    const answers = await Promise.all(asked)
    const texts = await textsOf(asked)
    expect(texts.map((text) => text.charAt(0)).toSorted()).toEqual(['A', 'B', 'C'])
    for (const [i, { headers }] of answers.entries()) {
      const cookie = headers.get('set-cookie')
      if (cookie !== null) expect(cookie).toBe(`sid=${texts[i]?.charAt(0)}`)
    }
    expect([node.node.requests, await inFlight(), await ended('ok')]).toEqual([3, 0, 3])
  })
})

describe('who leaves', () => {
  it('first, having asked first, takes nobody along', async () => {
    const leaving = new AbortController()
    const [first, ...others] = await together(2, { signal: leaving.signal })
    leaving.abort()
    await expect(first).rejects.toThrow('aborted')
    await eventually(async () => expect(await inFlight()).toBe(2))
    node.answer(({ response }) => response.end('code'))
    expect(await textsOf(others)).toEqual(['code', 'code'])
    expect([node.node.requests, await ended('ok'), await ended('client-left', 'none', 'none')]).toEqual([
      1, 2, 1,
    ])
  })

  it('in the middle leaves the rest as they were', async () => {
    const asked = await together(1)
    const leaving = new AbortController()
    const second = code({ signal: leaving.signal })
    await shared(2)
    leaving.abort()
    await expect(second).rejects.toThrow('aborted')
    await eventually(async () => expect(await inFlight()).toBe(2))
    node.answer(({ response }) => response.end('code'))
    expect(await textsOf(asked)).toEqual(['code', 'code'])
  })

  it('in the middle of an answer that is passed on cuts nobody else’s', async () => {
    const leaving = new AbortController()
    const [first, ...others] = await together(1, { signal: leaving.signal })
    node.answer(({ response }) =>
      response.setHeader('content-type', 'text/event-stream').write('data: 1\n\n'),
    )
    await first
    leaving.abort()
    await node.holds(1)
    node.answer(({ response }) => response.end('whole'))
    expect(await textsOf(others)).toEqual(['whole'])
    await eventually(async () => expect(await inFlight()).toBe(0))
  })

  it('last ends the upstream request, and the next one asks anew', async () => {
    const leaving = new AbortController()
    const asked = [code({ signal: leaving.signal })]
    const [held] = await node.holds(1)
    asked.push(code({ signal: leaving.signal }))
    await shared(1)
    const closed = new Promise((resolve) => held?.response.on('close', resolve))
    leaving.abort()
    await Promise.allSettled(asked)
    await closed
    await eventually(async () => expect(await inFlight()).toBe(0))
    node.answer(() => {})
    const next = code()
    await node.holds(1)
    node.answer(({ response }) => response.end('anew'))
    expect(await (await next).text()).toBe('anew')
  })
})

describe('a node that fails', () => {
  it.each([
    { name: 'dies', how: ({ response }: Held) => void response.destroy() },
    {
      name: 'dies in the middle of its answer',
      how: ({ response }: Held) => void response.write('half', () => response.destroy()),
    },
    { name: 'answers 500', how: ({ response }: Held) => void response.writeHead(500).end('broken') },
  ])('and $name is noticed by nobody who waits', async ({ how }) => {
    const asked = await together(4)
    node.answer(how)
    await helper.holds(1)
    helper.answer(({ response }) => response.end('neighbour'))
    expect(await textsOf(asked)).toEqual(Array.from({ length: 5 }, () => 'neighbour'))
    expect([helper.node.requests, await inFlight(), await ended('ok', 'neighbour', '610400')]).toEqual([
      1, 0, 5,
    ])
  })

  it('on every level leaves each with its own refusal', async () => {
    const asked = await together(2)
    node.answer(({ response }) => response.destroy())
    await helper.holds(1)
    helper.answer(({ response }) => response.destroy())
    // With nobody else left, who broke the connection is asked once more.
    await helper.holds(1)
    helper.answer(({ response }) => response.destroy())
    const answers = await Promise.all(asked)
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503])
    expect(new Set(answers.map(({ headers }) => headers.get('x-request-id'))).size).toBe(3)
    expect([await inFlight(), await ended('unavailable', 'none', 'none')]).toEqual([0, 3])
  })
})

describe('with hedges', () => {
  beforeEach(() => {
    edge.gateway.reload({
      ...edge.config,
      hedging: { ...edge.config.hedging, enabled: true, maxDelayMs: 60, minDelayMs: 10 },
    })
  })

  it('a slow node is not asked twice for what several wait for', async () => {
    const asked = await together(3)
    // Nothing is known of the node, so that two of the three silent delays are over only after 60 + 180 ms.
    await sleep(150)
    node.answer(({ response }) => response.end('code'))
    expect(await textsOf(asked)).toEqual(['code', 'code', 'code', 'code'])
    expect([node.node.requests, helper.node.requests]).toEqual([1, 0])
  })

  it('a node that is gone is left, long before its deadline', async () => {
    const before = code()
    await node.holds(1)
    node.answer(({ response }) => response.end('known to be fast'))
    await (await before).text()
    const asked = await together(3)
    await helper.holds(1)
    helper.answer(({ response }) => response.end('neighbour'))
    expect(await textsOf(asked)).toEqual(['neighbour', 'neighbour', 'neighbour', 'neighbour'])
    expect([node.node.requests, helper.node.requests]).toEqual([2, 1])
  })
})

it('nobody waits beyond the deadline of who asked first', async () => {
  edge.gateway.reload({
    ...edge.config,
    attempts: { ...edge.config.attempts, attemptTimeoutMs: 300, totalTimeoutMs: 300 },
  })
  const asked = await together(2)
  expect(await answered(asked)).toEqual([503, 503, 503])
  expect(await inFlight()).toBe(0)
  node.answer(({ response }) => response.destroy())
  const next = code()
  await eventually(() => expect(node.node.requests + helper.node.requests).toBeGreaterThan(1))
  for (const one of [node, helper]) one.answer(({ response }) => response.end('anew'))
  expect((await next).status).toBe(200)
})

describe('not shared', () => {
  it.each([
    { name: 'a resident who is not known', path: '/v1/codes/', init: {} },
    { name: 'a class that has not opted in', path: '/v1/tests/R1', init: {} },
    { name: 'a POST with a body', path: '/v1/codes/R1', init: { method: 'POST', body: 'b' } },
  ])('$name', async ({ path, init }) => {
    const one = fetch(edge.url + path, init)
    const other = fetch(edge.url + path, init)
    await node.holds(2)
    node.answer(({ response }, index) => response.end(`<${index}>`))
    expect((await textsOf([one, other])).toSorted()).toEqual(['<0>', '<1>'])
  })

  it('a GET that carries a body', async () => {
    const get = 'GET /v1/codes/R1 HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n'
    const asked = ['a', 'b'].map((body) => sendRaw(edge.port, get + body, { until: '>' }))
    await node.holds(2)
    node.answer(({ response }, index) => response.end(`<${index}>`))
    const numbers = (await Promise.all(asked)).map(({ text }) => Number(/<(\d)>/.exec(text)?.[1]))
    expect(new Set(numbers)).toEqual(new Set([0, 1]))
  })
})
