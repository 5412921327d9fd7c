// What verifiers fetch beforehand, as caches and verifiers on a bad line need it.
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { startTestNode } from './running-node.ts'
import { signingWorld } from './signing-world.ts'

describe.each([
  { path: '/v1/jwks', type: 'application/json' },
  { path: '/v1/trust-root', type: 'application/json' },
  { path: '/v1/trust-list', type: 'application/jose' },
  { path: '/v1/revocation-lists', type: 'application/json' },
])('GET $path', ({ path, type }) => {
  it('may be cached by anybody, and is not sent again to who has it', async () => {
    await using node = await startTestNode()
    const { status, headers } = await request(node.url).get(path)
    expect([status, headers['content-type']]).toStrictEqual([200, type])
    expect(headers['cache-control']).toBe('public, max-age=60, stale-if-error=86400')
    const { etag = '' } = headers
    for (const known of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const again = await request(node.url).get(path).set('If-None-Match', known)
      expect([known, again.status, again.text, again.headers['etag']]).toStrictEqual([known, 304, '', etag])
    }
    expect((await request(node.url).get(path).set('If-None-Match', '"other"')).status).toBe(200)
  })

  it('never holds a private key', async () => {
    await using node = await startTestNode()
    expect((await request(node.url).get(path)).text).not.toMatch(/"d"/)
  })
})

it('the lists are those of the files, to the byte', async () => {
  const world = await signingWorld()
  const text = await world.trustList(Date.now(), { counter: 9 })
  const revocations = await world.revocations('610400', Date.now())
  await using node = await startTestNode({
    trustList: world.write('nine.jws', `${text}\n`),
    revocationLists: [world.write('610400.jws', revocations)],
  })
  expect((await request(node.url).get('/v1/trust-list')).text).toBe(text)
  expect((await request(node.url).get('/v1/revocation-lists')).body).toStrictEqual({ lists: [revocations] })
})
