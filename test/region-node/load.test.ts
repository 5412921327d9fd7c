import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { RESIDENT, startTestNode } from './running-node.ts'
import { beginSlowPost } from './slow-post.ts'

const SAMPLE = { residentId: RESIDENT, result: 'negative', sampledAt: '2022-01-04T09:00:00+08:00' }

describe('a full node', () => {
  it('refuses at once, keeps answering probers, and serves again when there is room', async () => {
    await using node = await startTestNode({ limit: 2 })
    const first = await beginSlowPost(`${node.url}/v1/tests`, SAMPLE)
    const second = await beginSlowPost(`${node.url}/v1/tests`, SAMPLE)

    const refused = await request(node.url).get(`/v1/codes/${RESIDENT}`)
    expect(refused.status).toBe(503)
    expect(refused.body.type).toBe('urn:chiyuan:problem:overloaded')
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)

    await request(node.url).get('/healthz').expect(200)
    await request(node.url).get('/readyz?verbose').expect(200)
    await request(node.url).get('/load').expect(200, { inFlight: 2, limit: 2, draining: false, copies: [] })

    expect((await first.finish()).status).toBe(201)
    await request(node.url).get(`/v1/codes/${RESIDENT}`).expect(200)
    expect((await second.finish()).status).toBe(201)
    await request(node.url).get('/load').expect(200, { inFlight: 0, limit: 2, draining: false, copies: [] })
  })

  it('takes back the place of a client that went away', async () => {
    await using node = await startTestNode({ limit: 1 })
    const gone = await beginSlowPost(`${node.url}/v1/tests`, SAMPLE)
    gone.abort()
    let inFlight = 1
    while (inFlight > 0) inFlight = (await request(node.url).get('/load')).body.inFlight
    expect((await request(node.url).get(`/v1/codes/${RESIDENT}`)).status).toBe(200)
  })
})

describe('/readyz', () => {
  it('is 200 once all residents are loaded', async () => {
    await using node = await startTestNode({ nodeName: 'xian-1' })
    const { status, body } = await request(node.url).get('/readyz')
    expect([status, body]).toStrictEqual([
      200,
      { status: 'ready', node: 'xian-1', region: '610100', data: 'synthetic', notReadyFor: [], copies: [] },
    ])
  })

  it('is 503 for a backed-up region that is too old, and for no other; own data have no age', async () => {
    let nowMs = Date.UTC(2026, 0, 1)
    await using node = await startTestNode({ holds: ['610400'], maxReplicaAgeMs: 1_000, clock: () => nowMs })
    nowMs += 1_000
    await request(node.url).get('/readyz').expect(200)
    nowMs += 1
    const old = { check: 'data', detail: 'the copy of 610400 is 1001 ms old, allowed 1000' }
    const { body } = await request(node.url).get('/readyz').expect(200)
    expect(body.notReadyFor).toEqual([{ region: '610400', ...old }])
    const asked = await request(node.url).get('/readyz').query({ home: '610400' })
    expect([asked.status, asked.body.type]).toEqual([503, 'urn:chiyuan:problem:not-ready'])
    expect(asked.body.failed).toMatchObject([old])
  })
})

describe('close()', () => {
  it('answers what is in flight, then is gone', async () => {
    const node = await startTestNode()
    const post = await beginSlowPost(`${node.url}/v1/tests`, SAMPLE)
    const closed = node.close()
    const { status, headers } = await post.finish()
    expect([status, headers['connection']]).toStrictEqual([201, 'close'])
    await closed
    await expect(fetch(`${node.url}/healthz`)).rejects.toThrow('fetch failed')
    await expect(node.close()).resolves.toBeUndefined()
  })

  it('cuts whoever is not done in time, and says so in the log', async () => {
    const warnings: string[] = []
    const node = await startTestNode({
      drainMs: 0,
      logger: { warn: (_fields, message) => void warnings.push(message), error: () => undefined },
    })
    const post = await beginSlowPost(`${node.url}/v1/tests`, SAMPLE)
    await node.close()
    await expect(post.finish()).rejects.toThrow(/hang up|ECONNRESET|EPIPE|aborted/)
    expect(warnings).toStrictEqual(['connections still open after the drain were cut'])
  })

  it('is not held up by an idle kept-alive connection', async () => {
    const node = await startTestNode({ drainMs: 60_000 })
    const answer = await fetch(`${node.url}/v1/codes/${RESIDENT}`)
    expect(answer.headers.get('keep-alive')).toBe('timeout=65')
    await answer.arrayBuffer()
    await node.close()
  })
})
