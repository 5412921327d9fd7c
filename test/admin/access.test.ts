// Who is listened to: by token or session, from which page, and after how many wrong attempts.
import { createServer } from 'node:https'
import { readFile } from 'node:fs/promises'
import { once } from 'node:events'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { Sessions } from '../../gateway/control/access/sessions.ts'
import { type Api, openApi } from '../support/operators.ts'
import { selfSigned } from '../support/self-signed.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(async () => {
  expect(api.faults).toEqual([])
  await api[Symbol.asyncDispose]()
})

const hold = { kind: 'drain', node: 'xian-1', reason: 'a test', seconds: 60 }

async function cookieOf(token = api.admin): Promise<string> {
  const { headers } = await api.post('/session', undefined, token).expect(204)
  return String(headers['set-cookie']?.[0]).split(';')[0] ?? ''
}

const byCookie = (method: 'get' | 'post' | 'delete', path: string, cookie: string) =>
  request(api.app)[method](`/api/v1${path}`).set('Cookie', cookie)

describe('a session', () => {
  it('is a cookie for no script and no other site, and without TLS under a name that a browser takes', async () => {
    const answer = await api.asDocumented(
      'post',
      '/session',
      await api.post('/session', undefined).expect(204),
    )
    expect(answer.headers['set-cookie']).toEqual([
      expect.stringMatching(/^chiyuan-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200$/),
    ])
  })

  it('is bound to its host and to TLS where there is TLS', async () => {
    await using pair = await selfSigned('localhost')
    const [cert, key] = await Promise.all([readFile(pair.certFile), readFile(pair.keyFile)])
    const server = createServer({ cert, key }, api.app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const begun = await request(server)
        .post('/api/v1/session')
        .trustLocalhost()
        .set('Authorization', `Bearer ${api.admin}`)
        .expect(204)
      const [cookie = ''] = begun.headers['set-cookie'] ?? []
      expect(cookie).toMatch(
        /^__Host-chiyuan=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict; Max-Age=43200; Secure$/,
      )
      expect(begun.headers['strict-transport-security']).toContain('max-age=')
      const value = cookie.split(';')[0] ?? ''
      await request(server).get('/api/v1/me').trustLocalhost().set('Cookie', value).expect(200)
      // Under the other name it could have been set by a page without TLS.
      const renamed = value.replace('__Host-chiyuan', 'chiyuan-session')
      await request(server).get('/api/v1/me').trustLocalhost().set('Cookie', renamed).expect(401)
    } finally {
      server.close()
    }
  })

  it.each([
    ['says nothing of where it comes from', {}, 403],
    ['comes from another site', { 'Sec-Fetch-Site': 'cross-site', Origin: 'http://127.0.0.1' }, 403],
    ['comes from another port of this host', { 'Sec-Fetch-Site': 'same-site' }, 403],
    ['was typed', { 'Sec-Fetch-Site': 'none' }, 403],
    ['comes from nowhere that it would name', { Origin: 'null' }, 403],
    ['comes from elsewhere, by an old browser', { Origin: 'http://evil.example' }, 403],
    ['comes from our own page', { 'Sec-Fetch-Site': 'same-origin' }, 201],
    ['comes from our own page, by an old browser', { Origin: 'http://console.test' }, 201],
  ])('may change something where the request %s: %j, %s', async (_, headers, status) => {
    const sent = byCookie('post', '/holds', await cookieOf()).set({ Host: 'console.test', ...headers })
    const answer = await sent.send(hold).expect(status)
    await api.asDocumented('post', '/holds', answer)
  })

  it('may read wherever the request comes from: nothing changes, and no other page sees the answer', async () => {
    const cookie = await cookieOf()
    const { headers } = await byCookie('get', '/me', cookie).set('Sec-Fetch-Site', 'cross-site').expect(200)
    expect(headers).not.toHaveProperty('access-control-allow-origin')
    expect(headers['cross-origin-resource-policy']).toBe('same-origin')
    expect(headers['cache-control']).toBe('no-store')
  })

  it('ends by logout, for this cookie only', async () => {
    const [one, other] = [await cookieOf(), await cookieOf()]
    const ended = await byCookie('delete', '/session', one).set('Sec-Fetch-Site', 'same-origin').expect(204)
    expect(ended.headers['set-cookie']?.[0]).toMatch(/^chiyuan-session=; .*Max-Age=0$/)
    await byCookie('get', '/me', one).expect(401)
    await byCookie('get', '/me', other).expect(200)
  })

  it('does not beget another', async () => {
    const answer = await byCookie('post', '/session', await cookieOf()).set('Sec-Fetch-Site', 'same-origin')
    expect(answer.status).toBe(403)
  })

  it('that is made up is none', async () => {
    for (const value of ['', 'x', 'A'.repeat(43), '%00', '__proto__']) {
      await byCookie('get', '/me', `chiyuan-session=${value}`).expect(401)
    }
  })
})

describe('sessions', () => {
  const bounds = { lifeMs: 1000, idleMs: 300, atMost: 4, ofOneAtMost: 2 }
  let now = 0
  const open = () => {
    now = 0
    return new Sessions(bounds, () => now)
  }

  it('end after a pause, and after their life however busy', () => {
    const sessions = open()
    const [idle, busy] = [sessions.begin('a'), sessions.begin('b')]
    for (now = 0; now <= 1000; now += 200) expect(sessions.credentialOf(busy)).toBe('b')
    expect(sessions.credentialOf(idle)).toBeNull()
    now = 1001
    expect(sessions.credentialOf(busy)).toBeNull()
  })

  it('are bounded in all and for each credential: the oldest go', () => {
    const sessions = open()
    const [first, ...others] = ['a', 'a', 'a'].map((credential) => sessions.begin(credential))
    expect(sessions.credentialOf(first ?? '')).toBeNull()
    expect(others.map((value) => sessions.credentialOf(value))).toEqual(['a', 'a'])
    const more = ['b', 'c', 'd'].map((credential) => sessions.begin(credential))
    expect(more.map((value) => sessions.credentialOf(value))).toEqual(['b', 'c', 'd'])
    expect(others.map((value) => sessions.credentialOf(value))).toEqual([null, 'a'])
  })
})

describe('after ten wrong attempts from one address', () => {
  const wrong = (letter: string) => `chiyuan_zzzzzz${letter}${letter}_${'A'.repeat(43)}`

  it('more are refused, with the time to wait; who is known is still let in', async () => {
    await using busy = await openApi()
    const [proven, unproven, revoked] = [
      await busy.token('viewer'),
      await busy.token('viewer'),
      await busy.token('viewer'),
    ]
    await busy.get('/me', proven).expect(200)
    const begun = await busy.post('/session', undefined, proven).expect(204)
    for (const letter of 'abcdefghjk') await busy.get('/me', wrong(letter)).expect(401)
    const refused = await busy.get('/me', wrong('m')).expect(429)
    await busy.asDocumented('get', '/me', refused)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    expect(Number(refused.headers['retry-after'])).toBeLessThanOrEqual(6)
    await busy.get('/me').set('Authorization', 'Basic YWRtaW46YWRtaW4=').expect(401)
    await busy.get('/me', proven).expect(200)
    await busy
      .get('/me')
      .unset('Authorization')
      .set('Cookie', begun.headers['set-cookie'] ?? '')
      .expect(200)
    // Never seen before, but its name is its own.
    await busy.get('/me', unproven).expect(200)
    // An old secret under a name that there is: that name waits, and nobody else.
    const old = `${revoked.slice(0, -43)}${'B'.repeat(43)}`
    for (let i = 0; i < 10; i++) await busy.get('/me', old).expect(401)
    await busy.get('/me', old).expect(429)
    await busy.get('/me', revoked).expect(429)
    await busy.get('/me', unproven).expect(200)
    // Nor does it shut out whoever was let in under that name before.
    const stale = `${proven.slice(0, -43)}${'B'.repeat(43)}`
    for (let i = 0; i < 10; i++) await busy.get('/me', stale).expect(401)
    await busy.get('/me', stale).expect(429)
    await busy.get('/me', proven).expect(200)
  })

  it('those who send what is no token are counted too', async () => {
    await using busy = await openApi()
    const statuses: number[] = []
    for (let i = 0; i < 12; i++) {
      statuses.push((await busy.get('/me').set('Authorization', 'Digest x')).status)
    }
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429, 429])
    await busy.get('/me').unset('Authorization').expect(401)
  })

  it('many at once don’t make the gateway compute without end', async () => {
    await using busy = await openApi()
    const statuses = await Promise.all(
      Array.from({ length: 60 }, () => busy.get('/me', wrong('a')).then(({ status }) => status)),
    )
    expect(statuses.filter((status) => status === 401).length).toBeLessThanOrEqual(10)
    expect(new Set(statuses)).toEqual(new Set([401, 429, 503]))
    await busy.get('/me').expect(200)
  })
})
