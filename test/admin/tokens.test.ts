// Access tokens: made, seen without their secret, given a new one, ended at once, and never to be found where they are kept.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { AccessTokens } from '../../gateway/control/access/tokens.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { soleLock } from '../../gateway/control/registry/lock.ts'
import type { Registry, RegistryChange, RegistryPage } from '../../gateway/control/registry/port.ts'
import { type Api, openApi } from '../support/operators.ts'

let api: Api
beforeAll(async () => {
  api = await openApi()
})
afterAll(async () => {
  expect(api.faults).toEqual([])
  await api[Symbol.asyncDispose]()
})

const wanted = { name: '李 值班', roles: ['operator'], scope: ['610000'], reason: 'joins the night shift' }
const idOf = (token: string): string => token.split('_')[1] ?? ''

describe('a token', () => {
  it('is made, lets its holder in, and is seen from then on without its secret', async () => {
    const made = await api.asDocumented('post', '/tokens', await api.post('/tokens', wanted).expect(201))
    expect(made.body.token).toMatch(/^chiyuan_[a-z0-9]{8}_[\w-]{43}$/)
    expect(made.headers['location']).toBe(`/api/v1/tokens/${made.body.id}`)
    expect(Date.parse(made.body.expiresAt) - Date.now()).toBeGreaterThan(89 * 86_400_000)
    const me = await api.get('/me', made.body.token).expect(200)
    expect(me.body).toMatchObject({ name: '李 值班', roles: ['operator'], scope: ['610000'], by: 'token' })
    const shown = await api.get(`/tokens/${made.body.id}`).expect(200)
    await api.asDocumented('get', '/tokens/{id}', shown)
    const list = await api.asDocumented('get', '/tokens', await api.get('/tokens').expect(200))
    for (const { text } of [shown, list]) {
      expect(text).toContain(made.body.id)
      expect(text).not.toMatch(/"(?:token|salt|hash)"/)
    }
  })

  it('is given a new secret, and the old one is refused at once', async () => {
    const { body } = await api.post('/tokens', wanted).expect(201)
    await api.get('/me', body.token).expect(200)
    const path = `/tokens/${body.id}/rotation`
    const unmatched = await api.post(path, { reason: 'leaked' }).expect(428)
    await api.asDocumented('post', '/tokens/{id}/rotation', unmatched)
    await api.post(path, { reason: 'leaked' }).set('If-Match', '"7"').expect(412)
    const rotated = await api.post(path, { reason: 'leaked' }).set('If-Match', '"1"').expect(200)
    await api.asDocumented('post', '/tokens/{id}/rotation', rotated)
    expect([rotated.body.id, rotated.body.version]).toEqual([body.id, 2])
    await api.get('/me', body.token).expect(401)
    await api.get('/me', rotated.body.token).expect(200)
  })

  it('is revoked, and refused at once with its sessions', async () => {
    const token = await api.token('operator')
    const { headers } = await api.post('/session', undefined, token).expect(204)
    const session = () =>
      api
        .get('/me')
        .unset('Authorization')
        .set('Cookie', headers['set-cookie'] ?? '')
    await session().expect(200)
    const path = `/tokens/${idOf(token)}?reason=left`
    await api.delete(path, 1).expect(204)
    const refused = await api.get('/me', token).expect(401)
    expect(refused.body.detail).toContain('is revoked')
    await session().expect(401)
    await api.delete(path, '*').expect(409)
    await api
      .post(`/tokens/${idOf(token)}/rotation`, { reason: 'back' })
      .set('If-Match', '*')
      .expect(409)
  })

  it('ends when its time is over', async () => {
    const { body } = await api.post('/tokens', { ...wanted, days: 1 }).expect(201)
    using today = await AccessTokens.open(api.registry, Date.now)
    expect(await today.admit(body.token)).toHaveProperty('operator')
    using tomorrow = await AccessTokens.open(api.registry, () => Date.now() + 86_400_000)
    expect(await tomorrow.admit(body.token)).toEqual({ refused: 'expired' })
  })

  it('with another secret is as good as none', async () => {
    const token = await api.token('viewer')
    const other = `${token.slice(0, -43)}${'A'.repeat(43)}`
    for (const wrong of [other, 'chiyuan_zzzzzzzz_' + 'A'.repeat(43), 'x']) {
      const { body, headers } = await api.get('/me', wrong).expect(401)
      expect(headers['www-authenticate']).toBe('Bearer realm="chiyuan", error="invalid_token"')
      expect(body.detail).toBe('this access token is not known here')
    }
  })
})

describe('an admin', () => {
  it('gives no more than they have, and touches nobody beyond', async () => {
    const shaanxi = await api.token('admin', { scope: ['610000'] })
    const outside = [
      { ...wanted, scope: '*' },
      { ...wanted, scope: ['620100'] },
      { ...wanted, scope: ['610100', '620000'] },
    ]
    for (const body of outside) await api.post('/tokens', body, shaanxi).expect(403)
    await api.post('/tokens', { ...wanted, scope: ['610100'] }, shaanxi).expect(201)
    const foreign = await api.token('operator', { scope: ['620100'] })
    await api.delete(`/tokens/${idOf(foreign)}?reason=x`, '*', shaanxi).expect(403)
    await api
      .post(`/tokens/${idOf(foreign)}/rotation`, { reason: 'x' }, shaanxi)
      .set('If-Match', '*')
      .expect(403)
    await api.delete(`/tokens/${idOf(api.admin)}?reason=x`, '*', shaanxi).expect(403)
  })

  it('who is the last can’t be revoked', async () => {
    await using alone = await openApi()
    const path = `/tokens/${idOf(alone.admin)}?reason=x`
    const answer = await alone.delete(path, '*').expect(409)
    await alone.asDocumented('delete', '/tokens/{id}', answer)
    // Of one province only: they can't make another for all.
    await alone.token('admin', { scope: ['610000'] })
    await alone.delete(path, '*').expect(409)
    const second = await alone.token('admin')
    await alone.delete(path, '*', second).expect(204)
    await alone.delete(`/tokens/${idOf(second)}?reason=x`, '*', second).expect(409)
  })

  it('of two who revoke each other at one moment stays', async () => {
    const registry = openEmbeddedRegistry(':memory:')
    const meeting = new Meeting(registry)
    await using two = await openApi(undefined, meeting)
    const other = await two.token('admin')
    await Promise.all([two.get('/me').expect(200), two.get('/me', other).expect(200)])
    meeting.wait()
    const statuses = await Promise.all([
      two.delete(`/tokens/${idOf(other)}?reason=x`, '*').then(({ status }) => status),
      two.delete(`/tokens/${idOf(two.admin)}?reason=x`, '*', other).then(({ status }) => status),
    ])
    expect(statuses.toSorted((a, b) => a - b)).toEqual([204, 412])
    const left = await Promise.all([two.get('/me'), two.get('/me', other)])
    expect(left.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 401])
  })
})

/** A registry whose next two lists are answered at one moment, so that neither asker sees what the other does upon it. */
class Meeting implements Registry {
  private readonly inner: Registry
  private expected = 0
  private readonly waiting: (() => void)[] = []

  constructor(inner: Registry) {
    this.inner = inner
  }

  wait(): void {
    this.expected = 2
  }

  async list(prefix: string, page?: RegistryPage) {
    const records = await this.inner.list(prefix, page)
    if (this.expected === 0) return records
    const met = new Promise<void>((resolve) => this.waiting.push(resolve))
    if (this.waiting.length === this.expected) {
      this.expected = 0
      for (const go of this.waiting) go()
    }
    await met
    return records
  }

  read(key: string) {
    return this.inner.read(key)
  }

  commit(changes: readonly RegistryChange[]) {
    return this.inner.commit(changes)
  }

  watch(changed: () => void, lost: (cause: unknown) => void) {
    return this.inner.watch(changed, lost)
  }

  lock(name: string, holder: string) {
    return this.inner.lock(name, holder)
  }

  [Symbol.asyncDispose]() {
    return this.inner[Symbol.asyncDispose]()
  }
}

it('an answer that was overtaken does not let a revoked token in again', async () => {
  await using registry = openEmbeddedRegistry(':memory:')
  const held: (() => void)[] = []
  await using api = await openApi(undefined, registry)
  const token = await api.token('viewer')
  let hold = false
  const slow = {
    watch: () => () => {},
    list: async (prefix: string) => {
      const records = await registry.list(prefix)
      if (hold) await new Promise<void>((resolve) => held.push(resolve))
      return records
    },
    read: (key: string) => registry.read(key),
    commit: (changes: Parameters<typeof registry.commit>[0]) => registry.commit(changes),
    lock: () => soleLock(registry),
    [Symbol.asyncDispose]: async () => {},
  }
  using tokens = await AccessTokens.open(slow, Date.now)
  hold = true
  const early = tokens.refresh()
  await api.delete(`/tokens/${idOf(token)}?reason=left`, '*').expect(204)
  hold = false
  await tokens.refresh()
  for (const go of held) go()
  await early
  expect(await tokens.admit(token)).toEqual({ refused: 'revoked' })
})

it('no secret stands in the registry’s file, the audit log or a fault, wherever somebody puts it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'chiyuan-secrets-'))
  try {
    const secrets: string[] = []
    await using kept = await openApi(undefined, openEmbeddedRegistry(join(folder, 'chiyuan.db')))
    secrets.push(kept.admin)
    const { body } = await kept.post('/tokens', wanted).set('Idempotency-Key', 'k').expect(201)
    const rotated = await kept
      .post(`/tokens/${body.id}/rotation`, { reason: 'leaked' })
      .set('If-Match', '*')
      .expect(200)
    secrets.push(body.token, rotated.body.token)
    const lost = `chiyuan_${body.id}_${'Q'.repeat(43)}`
    const jwt = `${Buffer.from('{"alg":"ES256"}').toString('base64url')}.e30xyz.c2lnbmF0dXJl`
    for (const token of [rotated.body.token, lost, jwt]) {
      secrets.push(token)
      // As a bearer, in a path, in a query, and in what stands in the log for good.
      await kept.get('/me', token)
      await kept.delete(`/tokens/${token}?reason=x`, '*', rotated.body.token).expect(403)
      await kept.delete(`/tokens/${token}?reason=x`, '*').expect(400)
      await kept.delete(`/holds/x?reason=${token}`, '*').expect(400)
      await kept
        .post('/holds', { kind: 'trip', node: 'xian-1', reason: `like ${token}`, seconds: 5 })
        .expect(400)
      await kept.get(`/${token}`).expect(404)
    }
    const log = (await kept.get('/audit?limit=500').expect(200)).text
    const files = await Promise.all(
      (await readdir(folder)).map((name) => readFile(join(folder, name), 'latin1')),
    )
    const everything = [...files, log, ...kept.faults].join('\n')
    expect(everything).toContain('token.rotate')
    for (const secret of secrets) {
      expect(everything).not.toContain(secret)
      expect(everything).not.toContain(secret.slice(-43))
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
