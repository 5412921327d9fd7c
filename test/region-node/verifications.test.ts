import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { RESIDENT, startTestNode } from './running-node.ts'

describe('POST /v1/verifications', () => {
  it('finds a code that another region issued good', async () => {
    await using home = await startTestNode()
    await using backup = await startTestNode({ regionCode: '610400', holds: ['610100'] })
    const shown = await request(backup.url).get(`/v1/codes/${RESIDENT}`)
    const verified = await request(home.url)
      .post('/v1/verifications')
      .send({ code: shown.body.code, checkpointId: 'station-north-3' })
    expect(verified.status).toBe(200)
    expect(verified.body).toStrictEqual({
      valid: true,
      status: 'yellow',
      residentToken: shown.body.residentToken,
      divisionCode: '610100',
      freshness: 'live',
      issuer: '610100',
      verifiedAt: expect.stringMatching(/^\d{4}-.*Z$/),
      checkpointId: 'station-north-3',
      lists: { trustSeconds: expect.any(Number), revocationsSeconds: null },
    })
  })

  it('verifies by resident id, as ID-card terminals do', async () => {
    await using node = await startTestNode()
    const { body } = await request(node.url).post('/v1/verifications').send({ residentId: RESIDENT })
    expect(body).toMatchObject({ valid: true, status: 'yellow' })
    expect(JSON.stringify(body)).not.toContain(RESIDENT)
  })

  it('finds a code expired when its time is over', async () => {
    let nowMs = Date.UTC(2026, 0, 1)
    await using node = await startTestNode({ clock: () => nowMs, codeValidityMs: 60_000 })
    const shown = await request(node.url).get(`/v1/codes/${RESIDENT}`)
    // Clocks may differ by half a minute.
    nowMs += 90_000
    const { status, body } = await request(node.url).post('/v1/verifications').send({ code: shown.body.code })
    expect(status).toBe(200)
    expect(body).toMatchObject({ valid: false, status: 'expired', reason: 'expired' })
    expect(body).not.toHaveProperty('residentToken')
  })

  it('does not believe a tampered code, and tells nothing of the resident', async () => {
    await using node = await startTestNode()
    const shown = await request(node.url).get(`/v1/codes/${RESIDENT}`)
    const [header, payload, signature = ''] = shown.body.code.split('.')
    const forged = [header, payload, (signature.startsWith('A') ? 'B' : 'A') + signature.slice(1)].join('.')
    const { body } = await request(node.url).post('/v1/verifications').send({ code: forged })
    expect(body).toStrictEqual({
      valid: false,
      status: 'unknown',
      reason: 'tampered',
      lists: { trustSeconds: expect.any(Number), revocationsSeconds: null },
      issuer: '610100',
      verifiedAt: expect.any(String),
    })
  })

  it.each([
    { name: 'neither code nor resident', body: {}, fields: ['code'] },
    { name: 'both code and resident', body: { code: 'x', residentId: RESIDENT }, fields: ['code'] },
    {
      name: 'every fault at once',
      body: { checkpointId: 'no spaces', extra: 1, more: 2 },
      fields: ['checkpointId', 'code', 'extra', 'more'],
    },
    { name: 'a body that is no object', body: [1], fields: [''] },
  ])('names what is wrong: $name', async ({ body, fields }) => {
    await using node = await startTestNode()
    const answer = await request(node.url).post('/v1/verifications').send(body)
    expect(answer.status).toBe(422)
    expect(answer.body.errors.map((fault: { field: string }) => fault.field).toSorted()).toStrictEqual(fields)
  })
})
