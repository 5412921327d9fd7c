// Declarations and corrections: home's own, only ever worsening, nothing bettered by saying so.
import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import request from 'supertest'
import { statusAfterDeclaration, SYMPTOMS } from '../../region-node/declare.ts'
import { RESIDENT, startTestNode } from './running-node.ts'

const GREEN = 'R610100-000002'
const WELL = { residentId: GREEN, symptoms: [], contact: false, visitedDivisions: ['610100'] }
const WRONG = { residentId: RESIDENT, subject: 'status', statement: '我的检测结果为阴性' }

const post = (url: string, path: string, body: object, key = 'key') =>
  request(url).post(path).set('Idempotency-Key', key).send(body)

const colourOf = async (url: string, id: string): Promise<unknown> =>
  (await request(url).get(`/v1/codes/${id}`)).body.status

describe('POST /v1/declarations', () => {
  it.each([
    { name: 'nothing to tell', more: {}, status: 'green' },
    { name: 'no fever', more: { temperatureCelsius: 37.2 }, status: 'green' },
    { name: 'fever', more: { temperatureCelsius: 37.3 }, status: 'yellow' },
    { name: 'a symptom', more: { symptoms: ['cough'] }, status: 'yellow' },
    { name: 'contact with a case', more: { contact: true }, status: 'yellow' },
  ])('$name: $status', async ({ more, status }) => {
    await using node = await startTestNode()
    const { body } = await post(node.url, '/v1/declarations', { ...WELL, ...more }).expect(201)
    expect(body).toStrictEqual({
      declarationId: expect.stringMatching(/^[\da-f-]{36}$/),
      residentToken: expect.any(String),
      status,
      receivedAt: expect.any(String),
    })
    expect(await colourOf(node.url, GREEN)).toBe(status)
  })

  it('never betters a colour, whatever is declared', () => {
    const severity = { green: 0, yellow: 1, red: 2 }
    const declaration = fc.record({
      symptoms: fc.subarray([...SYMPTOMS]),
      temperatureCelsius: fc.option(fc.double({ min: 34, max: 43, noNaN: true })),
      contact: fc.boolean(),
      visitedDivisions: fc.constant([]),
    })
    fc.assert(
      fc.property(fc.constantFrom('green', 'yellow', 'red'), declaration, (status, given) => {
        expect(severity[statusAfterDeclaration(status, given)]).toBeGreaterThanOrEqual(severity[status])
      }),
    )
  })

  it('is the same declaration with its symptoms in another order', async () => {
    await using node = await startTestNode()
    const first = await post(node.url, '/v1/declarations', { ...WELL, symptoms: ['fever', 'cough'] })
    const again = await post(node.url, '/v1/declarations', { ...WELL, symptoms: ['cough', 'fever'] })
    expect([again.status, again.text]).toStrictEqual([201, first.text])
  })
})

describe('POST /v1/corrections', () => {
  it('is received, and betters nothing by itself', async () => {
    await using node = await startTestNode()
    const { body } = await post(node.url, '/v1/corrections', WRONG).expect(201)
    expect(body).toStrictEqual({
      correctionId: expect.stringMatching(/^[\da-f-]{36}$/),
      residentToken: expect.any(String),
      state: 'received',
      receivedAt: expect.any(String),
    })
    expect(await colourOf(node.url, RESIDENT)).toBe('yellow')
    expect(JSON.stringify(body)).not.toContain('阴性')
  })

  it('can name a test that the node listed', async () => {
    await using node = await startTestNode()
    const { tests } = (await request(node.url).get(`/v1/tests/${RESIDENT}`)).body
    const about = { ...WRONG, subject: 'test-result', testId: tests[0].testId }
    await post(node.url, '/v1/corrections', about).expect(201)
  })
})

describe('GET of what a resident stated', () => {
  const listOf = (url: string, folder: string, id: string, query = '') =>
    request(url).get(`/v1/${folder}/${id}${query}`)

  it('gives the resident’s own declarations, newest first, and nobody else’s', async () => {
    let nowMs = Date.now()
    await using node = await startTestNode({ clock: () => nowMs })
    expect((await listOf(node.url, 'declarations', GREEN)).body.declarations).toStrictEqual([])
    const first = await post(node.url, '/v1/declarations', WELL, 'first').expect(201)
    nowMs += 1_000
    const ill = { ...WELL, symptoms: ['fever'], temperatureCelsius: 38.5 }
    const second = await post(node.url, '/v1/declarations', ill, 'second').expect(201)
    await post(node.url, '/v1/declarations', { ...WELL, residentId: RESIDENT }, 'other').expect(201)
    const { body } = await listOf(node.url, 'declarations', GREEN).expect(200)
    const { residentId: _, ...said } = ill
    expect(body).toStrictEqual({
      residentToken: first.body.residentToken,
      divisionCode: '610100',
      freshness: 'live',
      declarations: [
        { declarationId: second.body.declarationId, ...said, receivedAt: second.body.receivedAt },
        expect.objectContaining({ declarationId: first.body.declarationId, temperatureCelsius: null }),
      ],
    })
    const newest = await listOf(node.url, 'declarations', GREEN, '?limit=1')
    expect(newest.body.declarations).toHaveLength(1)
  })

  it('gives corrections apart from declarations, with where they stand', async () => {
    await using node = await startTestNode()
    const { body } = await post(node.url, '/v1/corrections', WRONG).expect(201)
    const listed = await listOf(node.url, 'corrections', RESIDENT).expect(200)
    expect(listed.body.corrections).toStrictEqual([
      {
        correctionId: body.correctionId,
        state: 'received',
        subject: 'status',
        testId: null,
        statement: WRONG.statement,
        receivedAt: body.receivedAt,
      },
    ])
    expect((await listOf(node.url, 'declarations', RESIDENT)).body.declarations).toStrictEqual([])
  })

  it.each(['declarations', 'corrections'])('/v1/%s is home’s own: a backup has no list', async (folder) => {
    await using backup = await startTestNode({ regionCode: '610400', holds: ['610100'] })
    const refused = await listOf(backup.url, folder, GREEN)
    expect([refused.status, refused.body.type]).toStrictEqual([409, 'urn:chiyuan:problem:home-only'])
    await listOf(backup.url, folder, 'R610400-000002').expect(200)
    await listOf(backup.url, folder, 'nobody').expect(404)
  })
})

describe.each([
  { path: '/v1/declarations', body: { ...WELL, contact: true } },
  { path: '/v1/corrections', body: { ...WRONG, residentId: GREEN } },
])('$path', ({ path, body }) => {
  it('is not taken by a node that stands in for home, which says so and changes nothing', async () => {
    await using backup = await startTestNode({ regionCode: '610400', holds: ['610100'] })
    const refused = await post(backup.url, path, body)
    expect(refused.status).toBe(409)
    expect(refused.headers['content-type']).toBe('application/problem+json')
    expect(refused.body).toMatchObject({ type: 'urn:chiyuan:problem:home-only', divisionCode: '610100' })
    expect(await colourOf(backup.url, GREEN)).toBe('green')
  })

  it('is taken by that node for its own residents', async () => {
    await using backup = await startTestNode({ regionCode: '610400', holds: ['610100'] })
    await post(backup.url, path, { ...body, residentId: 'R610400-000002' }).expect(201)
  })

  it('is done once under one key, and not at all without', async () => {
    await using node = await startTestNode()
    const first = await post(node.url, path, body).expect(201)
    const again = await post(node.url, path, body).expect(201)
    expect(again.text).toBe(first.text)
    await post(node.url, path, { ...body, residentId: 'R610100-000003' }).expect(422)
    await request(node.url).post(path).send(body).expect(400)
  })
})
