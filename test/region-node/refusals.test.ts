import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { RESIDENT, startTestNode, temporaryFolder } from './running-node.ts'

describe('a request that the node does not serve', () => {
  it.each([
    {
      name: 'unknown resident',
      method: 'get',
      path: '/v1/codes/R610100-999999',
      status: 404,
      code: 'unknown-resident',
    },
    {
      name: 'unknown resident of tests',
      method: 'get',
      path: '/v1/tests/x',
      status: 404,
      code: 'unknown-resident',
    },
    { name: 'unknown route', method: 'get', path: '/v2/codes/x', status: 404, code: 'unknown-route' },
    { name: 'another case', method: 'get', path: '/V1/codes/x', status: 404, code: 'unknown-route' },
    {
      name: 'a slash too many',
      method: 'get',
      path: `/v1/codes/${RESIDENT}/`,
      status: 404,
      code: 'unknown-route',
    },
    { name: 'an id with a dot', method: 'get', path: '/v1/codes/a.b', status: 400, code: 'invalid-input' },
    {
      name: 'an id too long',
      method: 'get',
      path: `/v1/codes/${'a'.repeat(65)}`,
      status: 400,
      code: 'invalid-input',
    },
    {
      name: 'an encoded slash',
      method: 'get',
      path: '/v1/codes/..%2Fetc',
      status: 400,
      code: 'invalid-input',
    },
    { name: 'SQL', method: 'get', path: "/v1/codes/'%20OR%201=1--", status: 400, code: 'invalid-input' },
    {
      name: 'a broken escape',
      method: 'get',
      path: '/v1/codes/%E0%A4%A',
      status: 400,
      code: 'invalid-input',
    },
    { name: 'a wrong method', method: 'delete', path: '/v1/tests', status: 405, code: 'method-not-allowed' },
  ] as const)('is a problem: $name', async ({ method, path, status, code }) => {
    await using node = await startTestNode()
    const answer = await request(node.url)[method](path)
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.body).toMatchObject({
      type: `urn:chiyuan:problem:${code}`,
      status,
      title: expect.any(String),
    })
  })

  it.each([
    { method: 'post', path: `/v1/codes/${RESIDENT}`, allow: 'GET, HEAD' },
    { method: 'get', path: '/v1/verifications', allow: 'POST' },
    { method: 'put', path: '/v1/tests', allow: 'POST' },
    { method: 'options', path: '/v1/tests', allow: 'POST' },
    { method: 'post', path: '/healthz', allow: 'GET, HEAD' },
  ] as const)('says what is allowed: $method $path', async ({ method, path, allow }) => {
    await using node = await startTestNode()
    const answer = await request(node.url)[method](path)
    expect([answer.status, answer.headers['allow']]).toStrictEqual([405, allow])
  })
})

describe('a body that the node does not take', () => {
  it.each([
    { name: 'malformed JSON', type: 'application/json', body: '{"residentId":', status: 400 },
    { name: 'none', type: 'application/json', body: '', status: 422 },
    { name: 'JSON that is no object', type: 'application/json', body: '7', status: 422 },
    { name: 'another media type', type: 'text/plain', body: 'hello', status: 415 },
    { name: 'more than 64 KiB', type: 'application/json', body: `"${'x'.repeat(65_536)}"`, status: 413 },
    { name: 'another character set', type: 'application/json; charset=klingon', body: '{}', status: 415 },
  ])('is a problem: $name', async ({ type, body, status }) => {
    await using node = await startTestNode()
    const answer = await request(node.url).post('/v1/tests').set('Content-Type', type).send(body)
    expect(answer.status).toBe(status)
    expect(answer.headers['content-type']).toBe('application/problem+json')
    expect(answer.body.status).toBe(status)
  })

  // The attack: a few compressed kilobytes that become gigabytes.
  it('is a problem when compressed', async () => {
    await using node = await startTestNode()
    const answer = await request(node.url)
      .post('/v1/tests')
      .set('Content-Type', 'application/json')
      .set('Content-Encoding', 'gzip')
      .send('{}')
    expect(answer.status).toBe(415)
  })
})

describe('a store that fails', () => {
  it('is a 503 that tells nothing of SQL, and a log line that tells nothing of the resident', async () => {
    using folder = temporaryFolder()
    const lines: string[] = []
    const note = (fields: object, message: string): void => {
      lines.push(JSON.stringify([fields, message]))
    }
    await using node = await startTestNode({
      dataFile: folder.file('node.db'),
      logger: { warn: note, error: note },
    })
    using db = new DatabaseSync(folder.file('node.db'))
    db.exec('DROP TABLE test; DROP TABLE resident; DROP TABLE holding')

    const answers = await Promise.all([
      request(node.url).get(`/v1/codes/${RESIDENT}`),
      request(node.url)
        .post('/v1/tests')
        .send({ residentId: RESIDENT, result: 'negative', sampledAt: '2022-01-04T00:00:00Z' }),
    ])
    for (const answer of answers) {
      expect(answer.status).toBe(503)
      expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)
      expect(answer.text).not.toMatch(/table|select|sqlite| at /i)
    }
    expect(lines).toHaveLength(2)
    expect(lines.join('\n')).not.toContain(RESIDENT)

    const ready = await request(node.url).get('/readyz')
    expect(ready.status).toBe(503)
    expect(ready.body.failed).toStrictEqual([{ check: 'store', detail: 'the store does not answer' }])
    await request(node.url).get('/healthz').expect(200)
  })
})
