// Access tokens of an identity provider: what lets somebody in, what is refused and with which words, keys that change
// and a provider that is gone.
import { createHmac } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { CompactSign, exportSPKI, importJWK } from 'jose'
import type { OidcSettings } from '../../config/admin-schema.ts'
import { OidcTokens } from '../../gateway/control/access/oidc.ts'
import type { KeyTimings } from '../../gateway/control/access/provider-keys.ts'
import { Issuer, type SigningKey, signingKey } from '../support/issuer.ts'
import { type Api, openApi } from '../support/operators.ts'
import { selfSigned } from '../support/self-signed.ts'

const openFor = (settings: OidcSettings): Promise<Api> => openApi(undefined, undefined, undefined, settings)

let first: SigningKey
let rsa: SigningKey
let issuer: Issuer
let api: Api
beforeAll(async () => {
  first = await signingKey('first')
  rsa = await signingKey('rsa', 'RS256')
  issuer = await Issuer.start([first, rsa])
  api = await openFor(issuer.settings())
})
afterAll(async () => {
  expect(api.faults).toEqual([])
  await api[Symbol.asyncDispose]()
  await issuer[Symbol.asyncDispose]()
})

const seconds = (fromNow: number): number => Math.floor(Date.now() / 1000) + fromNow

describe('somebody is let in', () => {
  it('with the roles, regions and name that the token holds', async () => {
    const answer = await api.get('/me', await issuer.token()).expect(200)
    await api.asDocumented('get', '/me', answer)
    expect(answer.body).toMatchObject({ name: '王 值班', roles: ['operator'], scope: ['610000'], by: 'oidc' })
    expect(answer.body.id).toMatch(/^oidc-[0-9a-f]{16}$/)
  })

  it.each([
    ['RS256', () => rsa, {}],
    ['a type of JWT, as providers gave before RFC 9068', () => first, { typ: 'JWT' }],
    ['no type', () => first, { typ: undefined }],
    ['the long form of its type', () => first, { typ: 'application/at+jwt' }],
  ])('by %s', async (_, key, header) => {
    await api.get('/me', await issuer.token({}, key(), header)).expect(200)
  })

  it('and what they do stands in the audit log under their name, without the subject', async () => {
    const token = await issuer.token({ sub: 'subject-of-the-log' })
    const hold = { kind: 'drain', node: 'xian-1', reason: 'cooling failed', seconds: 60 }
    const { body } = await api.post('/holds', hold, token).expect(201)
    expect(body.owner).toBe('王 值班')
    await api.post('/holds', { ...hold, node: 'lanzhou-1' }, token).expect(403)
    const { text } = await api.get('/audit?limit=500').expect(200)
    expect(text).toContain('王 值班')
    expect(text).not.toContain('subject-of-the-log')
    expect(text).not.toContain(token)
  })
})

describe('401, in words that only a holder of a signed token gets', () => {
  it.each([
    ['expired', () => issuer.token({ exp: seconds(-31) }), /is expired/],
    ['older than it may be', () => issuer.token({ iat: seconds(-3700), exp: seconds(300) }), /is expired/],
    ['not valid yet', () => issuer.token({ nbf: seconds(60) }), /\(nbf\)/],
    ['made in the future', () => issuer.token({ iat: seconds(120) }), /\(iat\)/],
    ['without an end', () => issuer.token({ exp: undefined }), /\(exp\)/],
    ['without a beginning', () => issuer.token({ iat: undefined }), /\(iat\)/],
    ['of nobody', () => issuer.token({ sub: undefined }), /\(sub\)/],
    ['of another issuer', () => issuer.token({ iss: 'https://other.example' }), /\(iss\)/],
    ['for another API', () => issuer.token({ aud: 'shop' }), /\(aud\)/],
    ['for nobody in particular', () => issuer.token({ aud: undefined }), /\(aud\)/],
    ['an ID token, by its nonce', () => issuer.token({ nonce: 'n' }, first, { typ: 'JWT' }), /ID token/],
    ['an ID token, by its hash', () => issuer.token({ at_hash: 'h' }, first, { typ: 'JWT' }), /ID token/],
    [
      'an ID token, by its claim',
      () => issuer.token({ typ: 'ID' }, first, { typ: 'JWT' }),
      /no access token/,
    ],
    ['a logout token', () => issuer.token({}, first, { typ: 'logout+jwt' }), /no access token/],
    ['bound to a key', () => issuer.token({ cnf: { jkt: 'x' } }), /bound to a key/],
  ])('for one that is %s', async (_, made, words) => {
    await using fresh = await openFor(issuer.settings())
    const answer = await fresh.get('/me', await made()).expect(401)
    expect(answer.body.detail).toMatch(words)
    await fresh.asDocumented('get', '/me', answer)
  })
})

describe('401, without a word about why', () => {
  const unsigned = (header: object): string => {
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = { iss: issuer.url, aud: 'chiyuan', sub: 's', iat: seconds(0), exp: seconds(300) }
    return `${part(header)}.${part({ ...claims, name: 'x', roles: ['gw-admin'], regions: ['*'] })}`
  }

  it.each([
    ['no algorithm', async () => `${unsigned({ alg: 'none' })}.`],
    [
      'the public key as a shared secret',
      async () => {
        const text = unsigned({ alg: 'HS256', kid: 'rsa' })
        const key = await importJWK(rsa.jwk, 'RS256')
        if (key instanceof Uint8Array) throw new Error('not a public key')
        return `${text}.${createHmac('sha256', await exportSPKI(key))
          .update(text)
          .digest('base64url')}`
      },
    ],
    [
      'a key that it brings itself',
      async () => {
        const own = await signingKey('first')
        return issuer.token({ roles: ['gw-admin'] }, own, { jwk: own.jwk })
      },
    ],
    ['a key that the issuer has not', async () => issuer.token({}, await signingKey('unheard-of'))],
    [
      'an algorithm that is not taken',
      async () => {
        const es384 = await signingKey('first', 'ES384')
        return issuer.token({}, es384)
      },
    ],
    ['another signature', async () => (await issuer.token()).replace(/.{8}$/, 'AAAAAAAA')],
    [
      'claims that are no JSON',
      () =>
        new CompactSign(Buffer.from('not json'))
          .setProtectedHeader({ alg: 'ES256', kid: 'first' })
          .sign(first.secret),
    ],
    ['the form of a JWT only', async () => 'eyJhbGciOiJFUzI1NiJ9.e30.AAAA'],
  ])('for %s', async (_, made) => {
    await using fresh = await openFor(issuer.settings())
    const answer = await fresh.get('/me', await made()).expect(401)
    expect(answer.body.detail).toBe('this access token is not known here')
    expect(fresh.faults).toEqual([])
  })
})

describe('403, with what was missing', () => {
  it.each([
    ['roles', { roles: undefined }, /the claim roles holds none of gw-admin, gw-operator, gw-viewer/],
    ['roles that mean something here', { roles: ['root', '__proto__', 'constructor'] }, /holds none of/],
    ['regions', { regions: undefined }, /the claim regions must hold 1 to 100 region codes/],
    ['regions that are codes', { regions: ['610100', 'Xi’an'] }, /the claim regions/],
    ['a name', { name: undefined }, /the claim name must hold/],
    [
      'a name that is not a citizen’s number',
      { name: 'Wang 610102199001011234' },
      /the claim name must hold/,
    ],
    ['a name that fits a line', { name: 'Wang\nadmin' }, /the claim name must hold/],
  ])('for want of %s', async (_, claims, words) => {
    const answer = await api.get('/me', await issuer.token(claims)).expect(403)
    expect(answer.body.detail).toMatch(words)
    await api.asDocumented('get', '/me', answer)
  })

  it('and the attempt stands in the audit log, without the token', async () => {
    const token = await issuer.token({ roles: ['payroll'] })
    await api.post('/holds', { kind: 'trip', node: 'xian-1', reason: 'x', seconds: 5 }, token).expect(403)
    const { body, text } = await api.get('/audit?limit=500').expect(200)
    expect(body.items.at(-1)).toMatchObject({ actor: null, action: 'hold.create', outcome: 'refused' })
    expect(body.items.at(-1).detail).toContain('holds none of')
    expect(text).not.toContain(token)
  })

  it('and roles are read from a claim in a claim, or from one text', async () => {
    const settings = issuer.settings({
      rolesClaim: ['realm_access', 'roles'],
      scopeClaim: undefined,
      scope: '*',
    })
    await using nested = await openFor(settings)
    const token = await issuer.token({ realm_access: { roles: 'openid gw-viewer gw-admin' } })
    const { body } = await nested.get('/me', token).expect(200)
    expect(body).toMatchObject({ roles: ['viewer', 'admin'], scope: '*' })
  })
})

it('many wrong ones shut out neither a good one nor the gateway’s own', async () => {
  await using fresh = await openFor(issuer.settings())
  const statuses: number[] = []
  for (let i = 0; i < 14; i++) {
    statuses.push((await fresh.get('/me', await issuer.token({ exp: seconds(-90) }))).status)
  }
  expect(statuses).toEqual([...Array<number>(10).fill(401), ...Array<number>(4).fill(429)])
  await fresh.get('/me', await issuer.token()).expect(200)
  await fresh.get('/me').expect(200)
})

describe('the provider’s keys', () => {
  const quick: KeyTimings = {
    cooldownMs: 200,
    maxAgeMs: 60_000,
    retryMs: 200,
    keepMs: 10_000,
    timeoutMs: 1000,
  }

  it('that are new are found by one look, and unknown ones are looked for once in a while only', async () => {
    await using rotating = await Issuer.start([first])
    await using tokens = await OidcTokens.open(rotating.settings(), {
      wallNow: Date.now,
      timings: { ...quick, cooldownMs: 0 },
    })
    expect(await tokens.admit(await rotating.token())).toHaveProperty('operator')
    const second = await signingKey('second')
    rotating.keys = [second]
    expect(await tokens.admit(await rotating.token({}, second))).toHaveProperty('operator')
    expect(rotating.asked).toBe(2)
    expect(await tokens.admit(await rotating.token({}, first))).toEqual({ refused: 'unknown' })
  })

  it('are not asked for by every token with a key of its own', async () => {
    await using asked = await Issuer.start([first])
    await using tokens = await OidcTokens.open(asked.settings(), { wallNow: Date.now })
    for (let i = 0; i < 20; i++) {
      expect(await tokens.admit(await asked.token({}, await signingKey(`made-up-${i}`)))).toEqual({
        refused: 'unknown',
      })
    }
    expect(asked.asked).toBe(1)
  })

  it.each([
    ['fails', { status: 500 }],
    ['sends elsewhere', { status: 302 }],
    ['answers no JSON', { status: 200, body: '<html>' }],
    ['answers no keys', { status: 200, body: '{"keys":[{}]}' }],
    ['answers without end', { status: 200, body: `{"keys":[],"x":"${'x'.repeat(300_000)}"}` }],
  ])('can’t be had where it %s: 503 for its tokens, and our own are good', async (_, broken) => {
    await using failing = await Issuer.start([first])
    failing.broken = broken
    await using cut = await openFor(failing.settings({ jwksUri: `${failing.url}/keys` }))
    const answer = await cut.get('/me', await failing.token()).expect(503)
    await cut.asDocumented('get', '/me', answer)
    expect([answer.body.type, answer.headers['retry-after']]).toEqual([
      'urn:chiyuan:problem:unavailable',
      '5',
    ])
    for (let i = 0; i < 5; i++) await cut.get('/me', await failing.token()).expect(503)
    expect(failing.asked).toBe(1)
    await cut.get('/me').expect(200)
    expect(cut.faults).toEqual([])
  })

  it('are not waited for without end', async () => {
    await using hanging = await Issuer.start([first])
    hanging.hangs = true
    const timings = { ...quick, timeoutMs: 150 }
    await using tokens = await OidcTokens.open(hanging.settings(), { wallNow: Date.now, timings })
    const began = performance.now()
    expect(await tokens.admit(await hanging.token())).toHaveProperty('unavailable')
    expect(performance.now() - began).toBeLessThan(5000)
  })

  it('hold while it is gone, for as long as they may', async () => {
    await using gone = await Issuer.start([first])
    let now = Date.now()
    const timings = { ...quick, cooldownMs: 0, maxAgeMs: 0, keepMs: 5000 }
    await using tokens = await OidcTokens.open(gone.settings(), { wallNow: () => now, timings })
    expect(await tokens.admit(await gone.token())).toHaveProperty('operator')
    gone.broken = { status: 500 }
    now += 4000
    expect(await tokens.admit(await gone.token())).toHaveProperty('operator')
    // It may have made a new one: that is not for us to deny.
    expect(await tokens.admit(await gone.token({}, await signingKey('second')))).toHaveProperty('unavailable')
    now += 2000
    expect(await tokens.admit(await gone.token())).toHaveProperty('unavailable')
    gone.broken = null
    now += 1000
    expect(await tokens.admit(await gone.token())).toHaveProperty('operator')
  })

  it('are not taken from another issuer’s metadata', async () => {
    await using other = await Issuer.start([first])
    other.broken = {
      status: 200,
      body: JSON.stringify({ issuer: 'https://x.example', jwks_uri: `${other.url}/keys` }),
    }
    await using tokens = await OidcTokens.open(other.settings(), { wallNow: Date.now })
    expect(await tokens.admit(await other.token())).toMatchObject({
      unavailable: expect.stringMatching(/another issuer/),
    })
  })

  it('are fetched over TLS that is held to the authorities given', async () => {
    await using pair = await selfSigned('localhost')
    const [cert, key] = await Promise.all([readFile(pair.certFile, 'utf8'), readFile(pair.keyFile, 'utf8')])
    await using secure = await Issuer.start([first], { cert, key })
    const untrusted = await OidcTokens.open(secure.settings(), { wallNow: Date.now })
    expect(await untrusted.admit(await secure.token())).toHaveProperty('unavailable')
    await untrusted[Symbol.asyncDispose]()
    await using trusted = await OidcTokens.open(secure.settings({ caFile: pair.certFile }), {
      wallNow: Date.now,
    })
    expect(await trusted.admit(await secure.token())).toHaveProperty('operator')
  })
})
