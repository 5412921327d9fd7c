import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { RESIDENT, startTestNode } from './running-node.ts'

const NOON_MS = Date.UTC(2026, 0, 1, 12)

describe('GET /v1/codes/{residentId}', () => {
  it('shows the code of a resident of the region, live', async () => {
    await using node = await startTestNode({ clock: () => NOON_MS, codeValidityMs: 60_000 })
    const { status, headers, body } = await request(node.url).get(`/v1/codes/${RESIDENT}`)
    expect(status).toBe(200)
    expect(headers['content-type']).toBe('application/json')
    expect(headers['cache-control']).toBe('private, no-cache, stale-if-error=3600')
    expect(body).toStrictEqual({
      residentToken: 'ezvhE7iFnMaDQns2_HHpeA',
      code: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]{86}$/),
      status: 'yellow',
      divisionCode: '610100',
      issuer: '610100',
      issuedAt: '2026-01-01T12:00:00.000Z',
      validUntil: '2026-01-01T12:01:00.000Z',
      updatedAt: '2022-01-03T13:00:00.000Z',
      testTime: '2022-01-03T09:00:00.000Z',
      testResult: 'pending',
      freshness: 'live',
    })
  })

  it('shows the same colour from a backup region, which says that it is a replica', async () => {
    await using home = await startTestNode()
    await using backup = await startTestNode({ regionCode: '610400', holds: ['610100'] })
    for (let number = 1; number <= 20; number += 1) {
      const path = `/v1/codes/R610100-${String(number).padStart(6, '0')}`
      const [atHome, away] = await Promise.all([request(home.url).get(path), request(backup.url).get(path)])
      expect(away.body).toMatchObject({
        residentToken: atHome.body.residentToken,
        status: atHome.body.status,
        testTime: atHome.body.testTime,
        divisionCode: '610100',
        issuer: '610400',
        freshness: 'replica',
      })
    }
  })

  it('never repeats the id, and says that the data are synthetic', async () => {
    await using node = await startTestNode()
    const answer = await request(node.url).get(`/v1/codes/${RESIDENT}`)
    expect(answer.text + JSON.stringify(answer.headers)).not.toContain(RESIDENT)
    expect(answer.headers['synthetic-data']).toBe('?1')
  })

  it('answers HEAD as GET without its body', async () => {
    await using node = await startTestNode()
    const answer = await request(node.url).head(`/v1/codes/${RESIDENT}`)
    expect(answer.status).toBe(200)
    expect(Number(answer.headers['content-length'])).toBeGreaterThan(100)
    expect(answer.text).toBeUndefined()
  })

  it('gives away nothing of what it is built from', async () => {
    await using node = await startTestNode()
    const { headers } = await request(node.url).get(`/v1/codes/${RESIDENT}`)
    expect(headers).not.toHaveProperty('x-powered-by')
    expect(headers).not.toHaveProperty('etag')
    expect(headers).not.toHaveProperty('server')
  })
})
