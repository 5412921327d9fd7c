import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { RESIDENT, startTestNode } from './running-node.ts'

const SAMPLE = { residentId: RESIDENT, result: 'negative', sampledAt: '2022-01-04T09:00:00+08:00' }

describe('POST /v1/tests', () => {
  it('accepts a result, which then is the newest and on the code', async () => {
    await using node = await startTestNode()
    const posted = await request(node.url)
      .post('/v1/tests')
      .send({ ...SAMPLE, laboratory: '市一院' })
    expect(posted.status).toBe(201)
    expect(posted.body).toMatchObject({
      result: 'negative',
      sampledAt: '2022-01-04T01:00:00.000Z',
      laboratory: '市一院',
      originRegion: '610100',
    })
    const [list, code] = await Promise.all([
      request(node.url).get(`/v1/tests/${RESIDENT}`),
      request(node.url).get(`/v1/codes/${RESIDENT}`),
    ])
    expect(list.body.tests[0].testId).toBe(posted.body.testId)
    expect(code.body).toMatchObject({ testTime: '2022-01-04T01:00:00.000Z', testResult: 'negative' })
  })

  it('turns the code red on a positive, and a later negative never betters it', async () => {
    await using node = await startTestNode()
    const colour = async (): Promise<unknown> =>
      (await request(node.url).get(`/v1/codes/${RESIDENT}`)).body.status
    await request(node.url).post('/v1/tests').send(SAMPLE).expect(201)
    expect(await colour()).toBe('yellow')
    await request(node.url)
      .post('/v1/tests')
      .send({ ...SAMPLE, result: 'positive' })
      .expect(201)
    expect(await colour()).toBe('red')
    await request(node.url)
      .post('/v1/tests')
      .send({ ...SAMPLE, sampledAt: '2022-01-05T09:00:00+08:00' })
      .expect(201)
    expect(await colour()).toBe('red')
  })

  it('does not take a sample that arrives late for the newest one', async () => {
    await using node = await startTestNode()
    await request(node.url)
      .post('/v1/tests')
      .send({ ...SAMPLE, sampledAt: '2021-12-01T00:00:00Z' })
      .expect(201)
    const { body } = await request(node.url).get(`/v1/codes/${RESIDENT}`)
    expect(body.testTime).toBe('2022-01-03T09:00:00.000Z')
  })

  it('accepts a result in a backup region and marks it as its own', async () => {
    await using backup = await startTestNode({ regionCode: '610400', holds: ['610100'] })
    await request(backup.url).post('/v1/tests').send(SAMPLE).expect(201)
    const { body } = await request(backup.url).get(`/v1/tests/${RESIDENT}?limit=1`)
    expect(body).toMatchObject({
      divisionCode: '610100',
      freshness: 'replica',
      tests: [{ originRegion: '610400' }],
    })
  })

  it('refuses a sample from the future, but allows a clock that is a little ahead', async () => {
    await using node = await startTestNode({ clock: () => Date.UTC(2022, 0, 4, 1) })
    const post = (sampledAt: string) =>
      request(node.url)
        .post('/v1/tests')
        .send({ ...SAMPLE, sampledAt })
    await post('2022-01-04T01:04:00Z').expect(201)
    const refused = await post('2022-01-04T01:06:00Z').expect(422)
    expect(refused.body.errors).toStrictEqual([
      { in: 'body', field: 'sampledAt', detail: 'must not be in the future' },
    ])
  })

  it('lists every invalid field', async () => {
    await using node = await startTestNode()
    const { status, headers, body } = await request(node.url)
      .post('/v1/tests')
      .send({ residentId: 'not an id', result: 'maybe', sampledAt: '2022-01-04', laboratory: '', by: 'me' })
    expect(status).toBe(422)
    expect(headers['content-type']).toBe('application/problem+json')
    expect(body.errors.map((fault: { field: string }) => fault.field)).toStrictEqual([
      'residentId',
      'result',
      'sampledAt',
      'laboratory',
      'by',
    ])
  })
})

describe('Idempotency-Key', () => {
  const post = (url: string, key: string, body: object) =>
    request(url).post('/v1/tests').set('Idempotency-Key', key).send(body)

  it('answers a repeat with the first answer and stores nothing more', async () => {
    await using node = await startTestNode()
    const first = await post(node.url, 'key-1', SAMPLE).expect(201)
    // The same request in other words: order of fields, time zone, quoted key.
    const { residentId, ...rest } = SAMPLE
    const again = await post(node.url, '"key-1"', { ...rest, sampledAt: '2022-01-04T01:00:00Z', residentId })
    expect(again.status).toBe(201)
    expect(again.text).toBe(first.text)
    expect(again.headers['idempotency-replayed']).toBe('true')
    expect(first.headers).not.toHaveProperty('idempotency-replayed')
    const { body } = await request(node.url).get(`/v1/tests/${RESIDENT}`)
    expect(body.tests.filter((test: { testId: string }) => test.testId === first.body.testId)).toHaveLength(1)
  })

  it('gives a result one id at home and at a backup, so that the two can be merged', async () => {
    await using home = await startTestNode()
    await using backup = await startTestNode({ regionCode: '610400', holds: ['610100'] })
    const [atHome, away] = [await post(home.url, 'key-6', SAMPLE), await post(backup.url, 'key-6', SAMPLE)]
    expect(away.body.testId).toBe(atHome.body.testId)
    const without = await request(home.url).post('/v1/tests').send(SAMPLE)
    expect(without.body.testId).not.toBe(atHome.body.testId)
  })

  it('stores one result when the repeats arrive together', async () => {
    await using node = await startTestNode()
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(node.url, 'key-2', SAMPLE)))
    expect(new Set(answers.map((answer) => answer.text)).size).toBe(1)
  })

  it('refuses the same key with another body', async () => {
    await using node = await startTestNode()
    await post(node.url, 'key-3', SAMPLE).expect(201)
    const refused = await post(node.url, 'key-3', { ...SAMPLE, result: 'positive' })
    expect(refused.status).toBe(422)
    expect(refused.body.type).toBe('urn:chiyuan:problem:idempotency-key-reused')
    const code = await request(node.url).get(`/v1/codes/${RESIDENT}`)
    expect(code.body.status).toBe('yellow')
  })

  it('does not keep a refusal: the same key works once the request is right', async () => {
    await using node = await startTestNode()
    await post(node.url, 'key-4', { ...SAMPLE, residentId: 'nobody' }).expect(404)
    expect((await post(node.url, 'key-4', SAMPLE)).status).toBe(201)
  })

  it('forgets a key after a day', async () => {
    let nowMs = Date.UTC(2026, 0, 1)
    await using node = await startTestNode({ clock: () => nowMs })
    await post(node.url, 'key-5', SAMPLE).expect(201)
    nowMs += 24 * 3_600_000
    expect((await post(node.url, 'key-5', { ...SAMPLE, result: 'pending' })).status).toBe(201)
  })

  it.each(['two words', 'x'.repeat(256), '"unclosed'])('refuses the key %j', async (key) => {
    await using node = await startTestNode()
    const refused = await post(node.url, key, SAMPLE)
    expect(refused.status).toBe(400)
    expect(refused.body.errors).toMatchObject([{ in: 'header', field: 'Idempotency-Key' }])
  })
})

describe('GET /v1/tests/{residentId}', () => {
  it('lists the newest first, as many as asked for', async () => {
    await using node = await startTestNode()
    const days = ['2023-03-01', '2023-03-03', '2023-03-02']
    for (const day of days) {
      await request(node.url)
        .post('/v1/tests')
        .send({ ...SAMPLE, sampledAt: `${day}T00:00:00Z` })
        .expect(201)
    }
    const { body } = await request(node.url).get(`/v1/tests/${RESIDENT}?limit=3`)
    expect(body.tests.map((test: { sampledAt: string }) => test.sampledAt.slice(0, 10))).toStrictEqual([
      '2023-03-03',
      '2023-03-02',
      '2023-03-01',
    ])
  })

  it.each(['0', '101', '-1', '1.5', 'abc', '', '1&limit=2'])('refuses limit=%s', async (limit) => {
    await using node = await startTestNode()
    const { status, body } = await request(node.url).get(`/v1/tests/${RESIDENT}?limit=${limit}`)
    expect(status).toBe(400)
    expect(body.errors).toMatchObject([{ in: 'query', field: 'limit' }])
  })
})
