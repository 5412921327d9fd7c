// Screening registration: once for each key, whatever is repeated, whoever takes it, and fast in a burst.
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { syntheticToken } from '../../region-node/synthetic.ts'
import { RESIDENT, startTestNode } from './running-node.ts'

const REGISTRATION = {
  residentId: RESIDENT,
  siteId: 'weiyang-12',
  tubeId: 'T-000123',
  registeredAt: '2022-01-04T09:00:00+08:00',
}

const post = (url: string, key: string | undefined, body: object) => {
  const posted = request(url).post('/v1/registrations')
  return (key === undefined ? posted : posted.set('Idempotency-Key', key)).send(body)
}

describe('POST /v1/registrations', () => {
  it('registers a resident, who then finds it', async () => {
    await using node = await startTestNode({ clock: () => Date.UTC(2022, 0, 4, 1, 0, 1) })
    const posted = await post(node.url, 'key-1', REGISTRATION)
    expect(posted.status).toBe(201)
    const { residentToken, ...registration } = posted.body
    expect(residentToken).toBe(syntheticToken(RESIDENT))
    expect(registration).toStrictEqual({
      registrationId: expect.stringMatching(/^[\da-f-]{36}$/),
      siteId: 'weiyang-12',
      tubeId: 'T-000123',
      registeredAt: '2022-01-04T01:00:00.000Z',
      receivedAt: '2022-01-04T01:00:01.000Z',
      originRegion: '610100',
    })
    const { body } = await request(node.url).get(`/v1/registrations/${RESIDENT}`)
    expect(body).toStrictEqual({
      residentToken,
      divisionCode: '610100',
      freshness: 'live',
      registrations: [registration],
    })
    expect(posted.text).not.toContain(RESIDENT)
  })

  it('answers a repeat with the first answer to the byte, in whatever words it comes', async () => {
    await using node = await startTestNode()
    const first = await post(node.url, 'key-2', REGISTRATION)
    const { residentId, ...rest } = REGISTRATION
    const again = await post(node.url, '"key-2"', {
      ...rest,
      registeredAt: '2022-01-04T01:00:00Z',
      residentId,
    })
    expect([again.status, again.text]).toStrictEqual([201, first.text])
    expect(again.headers['idempotency-replayed']).toBe('true')
    const { body } = await request(node.url).get(`/v1/registrations/${RESIDENT}`)
    expect(body.registrations).toHaveLength(1)
  })

  it('registers once when the repeats of an impatient crowd arrive together', async () => {
    await using node = await startTestNode()
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, nth) => post(node.url, `key-${nth % 20}`, REGISTRATION)),
    )
    expect(new Set(answers.map(({ status }) => status))).toStrictEqual(new Set([201]))
    expect(new Set(answers.map(({ text }) => text)).size).toBe(20)
    const { body } = await request(node.url).get(`/v1/registrations/${RESIDENT}?limit=100`)
    expect(body.registrations).toHaveLength(20)
  })

  it.each([
    { name: 'another resident', body: { ...REGISTRATION, residentId: 'R610100-000002' } },
    { name: 'another site', body: { ...REGISTRATION, siteId: 'weiyang-13' } },
    { name: 'no tube', body: { ...REGISTRATION, tubeId: undefined } },
    { name: 'another time', body: { ...REGISTRATION, registeredAt: '2022-01-04T09:00:01+08:00' } },
  ])('refuses a key that was used for another request: $name', async ({ body }) => {
    await using node = await startTestNode()
    await post(node.url, 'key-3', REGISTRATION).expect(201)
    const refused = await post(node.url, 'key-3', body)
    expect([refused.status, refused.body.type]).toStrictEqual([
      422,
      'urn:chiyuan:problem:idempotency-key-reused',
    ])
  })

  it('refuses a key that was used at another route', async () => {
    await using node = await startTestNode()
    const sample = { residentId: RESIDENT, result: 'negative', sampledAt: '2022-01-04T09:00:00+08:00' }
    await request(node.url).post('/v1/tests').set('Idempotency-Key', 'key-4').send(sample).expect(201)
    expect((await post(node.url, 'key-4', REGISTRATION)).status).toBe(422)
  })

  it.each([{ key: undefined }, { key: 'two words' }, { key: 'x'.repeat(256) }])(
    'refuses the key $key',
    async ({ key }) => {
      await using node = await startTestNode()
      const refused = await post(node.url, key, REGISTRATION)
      expect(refused.status).toBe(400)
      expect(refused.body.errors).toStrictEqual([
        { in: 'header', field: 'Idempotency-Key', detail: 'must be 1 to 255 visible ASCII characters' },
      ])
    },
  )

  it('takes a key that is SQL for the key that it is', async () => {
    await using node = await startTestNode()
    const key = "';DROP/**/TABLE/**/registration;--"
    const first = await post(node.url, key, REGISTRATION).expect(201)
    expect((await post(node.url, key, REGISTRATION)).text).toBe(first.text)
    const { body } = await request(node.url).get(`/v1/registrations/${RESIDENT}`)
    expect(body.registrations).toHaveLength(1)
  })

  it('keeps no refusal: the same key works once the request is right', async () => {
    await using node = await startTestNode()
    await post(node.url, 'key-5', { ...REGISTRATION, residentId: 'nobody' }).expect(404)
    await post(node.url, 'key-5', REGISTRATION).expect(201)
  })

  it('forgets a key after a day, and some of those forgotten each time', async () => {
    let nowMs = Date.UTC(2022, 0, 5)
    await using node = await startTestNode({ clock: () => nowMs })
    for (let nth = 0; nth < 10; nth += 1) await post(node.url, `old-${nth}`, REGISTRATION).expect(201)
    nowMs += 24 * 3_600_000
    for (let nth = 0; nth < 10; nth += 1) {
      const again = await post(node.url, `old-${nth}`, { ...REGISTRATION, siteId: 'weiyang-13' })
      expect([again.status, again.headers['idempotency-replayed']]).toStrictEqual([201, undefined])
    }
  })

  it('is the same one when it comes again after that day', async () => {
    let nowMs = Date.UTC(2022, 0, 5)
    await using node = await startTestNode({ clock: () => nowMs })
    const first = await post(node.url, 'key-7', REGISTRATION).expect(201)
    nowMs += 24 * 3_600_000
    const again = await post(node.url, 'key-7', REGISTRATION).expect(201)
    expect(again.body.registrationId).toBe(first.body.registrationId)
    const { body } = await request(node.url).get(`/v1/registrations/${RESIDENT}`)
    expect(body.registrations).toHaveLength(1)
  })

  // Home was killed after it had recorded, before it could answer: the client goes to a backup.
  it('has one id at home and at a backup under one key, so that the two can be merged', async () => {
    await using home = await startTestNode()
    await using backup = await startTestNode({ regionCode: '610400', holds: ['610100'] })
    const idAt = async (url: string, key: string, body: object): Promise<unknown> =>
      (await post(url, key, body).expect(201)).body.registrationId
    const id = await idAt(home.url, 'key-8', REGISTRATION)
    expect(await idAt(backup.url, 'key-8', REGISTRATION)).toBe(id)
    expect(await idAt(backup.url, 'key-9', REGISTRATION)).not.toBe(id)
    const other = { ...REGISTRATION, residentId: 'R610100-000002' }
    expect(await idAt(home.url, 'key-10', other)).not.toBe(await idAt(backup.url, 'key-10', REGISTRATION))
  })

  it('is taken by a backup region, which marks it as its own', async () => {
    await using backup = await startTestNode({ regionCode: '610400', holds: ['610100'] })
    const { body } = await post(backup.url, 'key-6', REGISTRATION).expect(201)
    expect(body.originRegion).toBe('610400')
    const listed = await request(backup.url).get(`/v1/registrations/${RESIDENT}`)
    expect(listed.body).toMatchObject({ freshness: 'replica', registrations: [{ originRegion: '610400' }] })
  })
})
