import { describe, expect, it, jest } from '@jest/globals'
import * as fc from 'fast-check'
import { emptyLists, takeRevocationList, takeTrustList } from '../../../region-node/verify/lists.ts'
import type { Lists, Taken } from '../../../region-node/verify/lists.ts'
import { readRoots } from '../../../region-node/verify/roots.ts'
import { verifyCode } from '../../../region-node/verify/verify-code.ts'
import {
  World,
  aCarried,
  aCode,
  aRevocationList,
  aTrustList,
  base64url,
  day,
  handKey,
  hour,
  lent,
  mustTake,
  now,
  nowMs,
  thumbprint,
} from './hand-signed.ts'
import type { HandKey } from './hand-signed.ts'

// Hundreds of signatures take their time on a busy machine.
jest.setTimeout(60_000)

const world = new World()
const time = { nowMs }
const issuers = { '610100': [world.xian] }
const signedBy = (key: HandKey, list: object): string => key.sign('chiyuan-trust-list', list)
const reasonOf = (taken: Taken): string => (taken.ok ? 'taken' : taken.reason)
const detailOf = (taken: Taken): string => (taken.ok ? '' : taken.detail)

describe('a trust list', () => {
  const good = aTrustList(issuers)
  const spareKey = handKey()
  const key = world.xian.jwk
  const endedRoot = handKey({ exp: now - 2 * hour })

  it('is taken from a root, and its keys and agreements are at hand', async () => {
    const { trust } = await world.lists({ delegations: [lent()] })
    expect(trust?.counter).toBe(1)
    expect([...(trust?.keys.keys() ?? [])]).toStrictEqual([world.xian.kid, world.xianyang.kid])
    expect(trust?.delegations.get('610400>610100')).toStrictEqual([lent()])
  })

  it.each([
    {
      name: 'signed by a listed issuer, no root',
      text: signedBy(world.xian, good),
      reason: 'unknown-signer',
    },
    {
      name: 'with a root’s kid, signed by another',
      text: spareKey.signText(
        JSON.stringify({ alg: 'ES256', typ: 'chiyuan-trust-list', kid: world.root.kid }),
        JSON.stringify(good),
      ),
      reason: 'tampered',
    },
    { name: 'that is a code', text: world.root.sign('chiyuan-code', aCode()), reason: 'header' },
    { name: 'that is nothing of the kind', text: 'trust me', reason: 'form' },
    { name: 'of nine megabytes', text: 'e'.repeat(9 * 1024 * 1024), reason: 'too-long' },
    {
      name: 'from the future',
      text: signedBy(world.root, { ...good, iat: now + 31 }),
      reason: 'from-the-future',
    },
    {
      name: 'written by a clock a little ahead',
      text: signedBy(world.root, { ...good, iat: now + 30 }),
      reason: 'taken',
    },
    {
      name: 'older than the root key',
      text: signedBy(world.root, { ...good, iat: now - 31 * day }),
      reason: 'unknown-signer',
    },
    {
      name: 'newer than the root key',
      text: signedBy(endedRoot, { ...good, iat: now - 2 * hour }),
      reason: 'unknown-signer',
      root: endedRoot,
    },
    {
      name: 'spelt with spaces',
      text: world.root.signText(
        JSON.stringify({ alg: 'ES256', typ: 'chiyuan-trust-list', kid: world.root.kid }),
        JSON.stringify(good, null, 1),
      ),
      reason: 'content',
    },
  ])('$name: $reason', async ({ text, reason, root = world.root }) => {
    const read = await readRoots(root.jwk)
    const lists = emptyLists(read.ok ? read.roots : [])
    expect(reasonOf(await takeTrustList(lists, text, time))).toBe(reason)
  })

  it.each([
    { name: 'no issuers', list: { ...good, issuers: [] }, field: 'issuers' },
    {
      name: 'a region twice',
      list: { ...good, issuers: [...good.issuers, { region: '610100', keys: [spareKey.jwk] }] },
      field: 'issuers.1.region: 610100 stands twice',
    },
    {
      name: 'a kid twice in one region',
      list: { ...good, issuers: [{ region: '610100', keys: [key, key] }] },
      field: 'issuers.0.keys.1.kid',
    },
    {
      name: 'a kid twice in two regions',
      list: { ...good, issuers: [...good.issuers, { region: '610400', keys: [key] }] },
      field: 'issuers.1.keys.0.kid',
    },
    {
      name: 'a kid that is another key’s',
      list: { ...good, issuers: [{ region: '610100', keys: [{ ...spareKey.jwk, kid: key.kid }] }] },
      field: 'not its thumbprint',
    },
    {
      name: 'a key on another curve',
      list: { ...good, issuers: [{ region: '610100', keys: [{ ...key, crv: 'P-384' }] }] },
      field: 'issuers.0.keys.0.crv',
    },
    {
      name: 'an RSA key',
      list: {
        ...good,
        issuers: [{ region: '610100', keys: [{ kty: 'RSA', n: 'x', e: 'AQAB', kid: key.kid }] }],
      },
      field: 'issuers.0.keys.0.kty',
    },
    {
      name: 'a point that is not on the curve',
      list: { ...good, issuers: [{ region: '610100', keys: [offCurve()] }] },
      field: 'no point of P-256',
    },
    {
      name: 'a private key',
      list: { ...good, issuers: [{ region: '610100', keys: [{ ...key, d: 'secret' }] }] },
      field: 'issuers.0.keys.0',
    },
    {
      name: 'a key that ends before it begins',
      list: { ...good, issuers: [{ region: '610100', keys: [{ ...key, exp: key.nbf }] }] },
      field: 'issuers.0.keys.0.exp',
    },
    {
      name: 'an agreement with itself',
      list: { ...good, delegations: [lent({ donor: '610100' })] },
      field: 'delegations.0.donor',
    },
    {
      name: 'an agreement without end',
      list: { ...good, delegations: [{ ...lent(), until: undefined }] },
      field: 'delegations.0.until',
    },
    {
      name: 'an agreement that ends before it begins',
      list: { ...good, delegations: [lent({ until: now - day })] },
      field: 'delegations.0.until',
    },
    { name: 'no next update', list: { ...good, nextUpdate: good.iat }, field: 'nextUpdate' },
    { name: 'a counter of 0', list: { ...good, counter: 0 }, field: 'counter' },
    { name: 'another field', list: { ...good, more: 1 }, field: '' },
  ])('with $name is refused, and the field is named', async ({ list, field }) => {
    const taken = await takeTrustList(await world.noLists(), signedBy(world.root, list), time)
    expect(reasonOf(taken)).toBe('content')
    expect(detailOf(taken)).toContain(field)
    expect(detailOf(taken)).not.toContain('secret')
  })

  it('drops a key by leaving it out, and its codes are unknown from then on', async () => {
    const before = await world.lists()
    const without = aTrustList({ '610400': [world.xianyang] }, { counter: 2 })
    const after = mustTake(await takeTrustList(before, signedBy(world.root, without), time))
    expect(await verifyCode(world.code(), before, time)).toMatchObject({ outcome: 'valid' })
    expect(await verifyCode(world.code(), after, time)).toMatchObject({ outcome: 'unknown-issuer' })
    const back = await takeTrustList(after, world.trustList(), time)
    expect(reasonOf(back)).toBe('rollback')
  })

  it('is taken twice, but not two of one counter', async () => {
    const lists = await world.lists()
    expect(reasonOf(await takeTrustList(lists, lists.trust?.text ?? '', time))).toBe('taken')
    expect(reasonOf(await takeTrustList(lists, world.trustList({ iat: now }), time))).toBe('conflict')
  })
})

describe('a trust root', () => {
  it('is a JWK, or a set of them while one follows another', async () => {
    const next = handKey()
    const read = await readRoots({ keys: [world.root.jwk, next.jwk] })
    expect(read.ok && read.roots.map(({ kid }) => kid)).toStrictEqual([world.root.kid, next.kid])
  })

  it.each([
    { name: 'private', jwk: { ...world.root.jwk, d: 'secret' }, says: 'Unrecognized key: "d"' },
    { name: 'without a time', jwk: { ...world.root.jwk, exp: undefined }, says: 'exp' },
    { name: 'misnamed', jwk: { ...world.root.jwk, kid: world.xian.kid }, says: 'thumbprint' },
    { name: 'no key', jwk: 'root', says: '' },
  ])('that is $name is refused', async ({ jwk, says }) => {
    const read = await readRoots(jwk)
    expect(read.ok ? 'taken' : read.detail).toContain(says)
    expect(read.ok).toBe(false)
  })
})

describe('a revocation list', () => {
  const sign = (signer: HandKey, list: object): string => signer.sign('chiyuan-revocation-list', list)
  const { xian, xianyang } = world

  it.each([
    { name: 'of the region’s own key', text: sign(xian, aRevocationList(xian.kid)), reason: 'taken' },
    {
      name: 'of another region’s key',
      text: sign(xianyang, aRevocationList(xian.kid, { iss: '610400' })),
      reason: 'unknown-signer',
    },
    {
      name: 'signed by one region in the name of another',
      text: sign(xianyang, aRevocationList(xian.kid)),
      reason: 'unknown-signer',
    },
    {
      name: 'of its own key in the name of another region',
      text: sign(xian, aRevocationList(xian.kid, { iss: '610400' })),
      reason: 'unknown-signer',
    },
    {
      name: 'of a key that nobody lists',
      text: sign(xian, aRevocationList(handKey().kid)),
      reason: 'unknown-signer',
    },
    {
      name: 'signed by a stranger',
      text: sign(handKey(), aRevocationList(xian.kid)),
      reason: 'unknown-signer',
    },
    {
      name: 'signed by the root',
      text: sign(world.root, aRevocationList(xian.kid)),
      reason: 'unknown-signer',
    },
    {
      name: 'from the future',
      text: sign(xian, aRevocationList(xian.kid, { iat: now + 31 })),
      reason: 'from-the-future',
    },
    {
      name: 'with its signature changed',
      text: `${sign(xian, aRevocationList(xian.kid)).slice(0, -86)}${'A'.repeat(86)}`,
      reason: 'tampered',
    },
    { name: 'that is a trust list', text: world.trustList(), reason: 'header' },
    {
      name: 'that takes back what is not issued yet',
      text: sign(xian, aRevocationList(xian.kid, { revoked: [{ sub: aCode().sub, before: now + day }] })),
      reason: 'content',
    },
    {
      name: 'that allows for clocks',
      text: sign(
        xian,
        aRevocationList(xian.kid, { iat: now, revoked: [{ sub: aCode().sub, before: now + 300 }] }),
      ),
      reason: 'taken',
    },
    {
      name: 'with a subject revoked for ever',
      text: sign(xian, { ...aRevocationList(xian.kid), revoked: [{ sub: aCode().sub }] }),
      reason: 'content',
    },
  ])('$name: $reason', async ({ text, reason }) => {
    expect(reasonOf(await takeRevocationList(await world.lists(), text, time))).toBe(reason)
  })

  it('can’t be taken before the trust list that knows its signer', async () => {
    expect(reasonOf(await takeRevocationList(await world.noLists(), world.revocations(), time))).toBe(
      'unknown-signer',
    )
  })

  it('of a retired key may be signed by its successor', async () => {
    const successor = handKey()
    const trust = { issuers: [{ region: '610100', keys: [xian.jwk, successor.jwk] }] }
    const revoked = sign(successor, aRevocationList(xian.kid, { revoked: [{ rid: aCode().rid }] }))
    const lists = await world.lists(trust, revoked)
    expect(await verifyCode(xian.sign('chiyuan-code', aCarried()), lists, time)).toMatchObject({
      outcome: 'revoked',
    })
  })
})

// The attack: keep a checkpoint on, or put it back to, a list from before one's own revocation.
describe('no order of arrival', () => {
  const latest = 6
  const arrivals = fc.array(fc.integer({ min: 1, max: latest }), { minLength: 1, maxLength: 14 })
  const code = world.xian.sign('chiyuan-code', aCarried())

  it('brings a revoked code back', async () => {
    const revocationsAt = (counter: number): string =>
      world.revocations({ counter, revoked: counter >= 4 ? [{ rid: aCode().rid }] : [] })
    await fc.assert(
      fc.asyncProperty(arrivals, async (counters) => {
        let lists = await world.lists()
        let newest = 0
        for (const counter of counters) {
          lists = afterTaking(lists, await takeRevocationList(lists, revocationsAt(counter), time))
          newest = Math.max(newest, counter)
          expect(lists.revocations.get(world.xian.kid)?.counter).toBe(newest)
          expect((await verifyCode(code, lists, time)).outcome).toBe(newest >= 4 ? 'revoked' : 'valid')
        }
      }),
      { numRuns: 40 },
    )
  })

  it('brings a key or an agreement back that was withdrawn', async () => {
    const display = world.code()
    const lentCode = world.xianyang.sign('chiyuan-code', aCode({ iss: '610400' }))
    const trustAt = (counter: number): string => {
      const listed = { ...(counter < 5 ? { '610100': [world.xian] } : {}), '610400': [world.xianyang] }
      const delegations = counter < 3 ? [lent()] : []
      return world.root.sign(
        'chiyuan-trust-list',
        aTrustList(listed, { counter, delegations, iat: now - hour + counter }),
      )
    }
    await fc.assert(
      fc.asyncProperty(arrivals, async (counters) => {
        let lists = await world.noLists()
        let newest = 0
        for (const counter of counters) {
          lists = afterTaking(lists, await takeTrustList(lists, trustAt(counter), time))
          newest = Math.max(newest, counter)
          expect((await verifyCode(display, lists, time)).outcome).toBe(
            newest < 5 ? 'valid' : 'unknown-issuer',
          )
          expect((await verifyCode(lentCode, lists, time)).outcome).toBe(newest < 3 ? 'valid' : 'undelegated')
        }
      }),
      { numRuns: 40 },
    )
  })

  it('brings a revoked code back by way of trust lists in between', async () => {
    const steps = fc.array(
      fc.record({ kind: fc.constantFrom('trust', 'revocations'), counter: fc.integer({ min: 2, max: 6 }) }),
    )
    await fc.assert(
      fc.asyncProperty(steps, async (arriving) => {
        let lists = await world.lists({}, world.revocations({ counter: 5, revoked: [{ rid: aCode().rid }] }))
        for (const { kind, counter } of arriving) {
          const taken =
            kind === 'trust'
              ? await takeTrustList(lists, world.trustList({ counter }), time)
              : await takeRevocationList(lists, world.revocations({ counter: Math.min(counter, 4) }), time)
          lists = afterTaking(lists, taken)
          expect((await verifyCode(code, lists, time)).outcome).toBe('revoked')
        }
      }),
      { numRuns: 40 },
    )
  })
})

const afterTaking = (held: Lists, taken: Taken): Lists => (taken.ok ? taken.lists : held)

function offCurve(): object {
  const { x } = world.xian.jwk
  const y = base64url(Buffer.alloc(32, 7))
  const bad = handKey().jwk
  return { ...bad, x, y, kid: thumbprint(x, y) }
}
