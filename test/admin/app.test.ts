// The operators' listener: alive, ready, counted; nothing of a resident in what is counted.
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { adminApp } from '../../gateway/admin/app.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream, named } from '../support/upstream.ts'

const app = (changes: Partial<Parameters<typeof adminApp>[0]> = {}) =>
  adminApp({
    notReady: () => null,
    warnings: () => [],
    metrics: () => Promise.resolve({ contentType: 'text/plain', body: 'x 1\n' }),
    ...changes,
  })

describe('the admin app', () => {
  it('is alive', async () => {
    await request(app()).get('/livez').expect(200, { status: 'alive' })
  })

  it('is ready, with what is amiss as a warning', async () => {
    const warned = app({ warnings: () => ['registry lost: disk full'] })
    await request(warned)
      .get('/readyz')
      .expect(200, { status: 'ready', warnings: ['registry lost: disk full'] })
  })

  it('is not ready while it drains, and says why', async () => {
    const answer = await request(app({ notReady: () => 'draining' }))
      .get('/readyz')
      .expect(503)
    expect(answer.headers['content-type']).toMatch(/^application\/problem\+json/)
    expect(JSON.parse(answer.text)).toMatchObject({
      type: 'urn:chiyuan:problem:not-ready',
      status: 503,
      detail: 'draining',
    })
  })

  it('answers what it does not know with a problem, and failures without a stack', async () => {
    await request(app()).get('/nothing').expect(404)
    const broken = app({ metrics: () => Promise.reject(new Error('secret detail')) })
    const answer = await request(broken).get('/metrics').expect(500)
    expect(answer.text).not.toContain('secret detail')
    expect(answer.text).not.toContain('.ts')
  })

  it('does not say what it is built with', async () => {
    const answer = await request(app()).get('/livez')
    expect(answer.headers).not.toHaveProperty('x-powered-by')
  })
})

describe('the metrics of a gateway at work', () => {
  it('count requests by home, level and outcome, and hold no resident, path or address', async () => {
    await using home = await httpUpstream((_request, response) => {
      response.statusCode = 503
      response.end()
    })
    await using neighbour = await httpUpstream(named('neighbour'))
    await using edge = await startTestGateway([
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': home.url } },
      { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
    ])
    for (let i = 0; i < 5; i++) await (await fetch(`${edge.url}/v1/codes/SECRET-${i}?token=SECRET`)).text()
    expect(
      await edge.metric(
        'chiyuan_requests_total',
        'home="610100",level="neighbour",region="610400",outcome="ok"',
      ),
    ).toBe(5)
    expect(
      await edge.metric('chiyuan_failovers_total', 'home="610100",level="neighbour",region="610400"'),
    ).toBe(5)
    expect(await edge.metric('chiyuan_attempts_total', 'node="xian-1",outcome="error-status"')).toBe(5)
    expect(await edge.metric('chiyuan_attempts_started_total', 'node="xianyang-1",kind="retry"')).toBe(5)
    expect(await edge.metric('chiyuan_node_up', 'node="xian-1",region="610100"')).toBe(1)
    expect(
      await edge.metric('chiyuan_request_duration_seconds_count', 'home="610100",level="neighbour"'),
    ).toBe(5)
    const text = await (await fetch(`${edge.adminUrl}/metrics`)).text()
    expect(text).not.toMatch(/SECRET|v1\/codes|127\.0\.0\.1/)
  })

  it('forget a node that is gone', async () => {
    await using home = await httpUpstream(named('home'))
    await using edge = await startTestGateway([
      { code: '610100', nodes: { 'xian-1': home.url, 'xian-2': 'http://127.0.0.1:9' } },
    ])
    for (let i = 0; i < 10; i++) await (await fetch(`${edge.url}/v1/codes/R${i}`)).text()
    const [region] = edge.config.regions
    if (region === undefined) throw new Error('one region was configured')
    edge.gateway.reload({ ...edge.config, regions: [{ ...region, nodes: region.nodes.slice(0, 1) }] })
    const text = await (await fetch(`${edge.adminUrl}/metrics`)).text()
    expect(text).toContain('node="xian-1"')
    expect(text).not.toContain('node="xian-2"')
  })
})
