import { describe, expect, it } from '@jest/globals'
import type { CodeClaims } from '../../../region-node/verify/claims.ts'
import { maxCodeChars, verifyCode } from '../../../region-node/verify/verify-code.ts'
import type { Delegation, TrustListDocument } from '../../../region-node/verify/trust-list.ts'
import type { Policy } from '../../../region-node/verify/verdict.ts'
import {
  World,
  aCarried,
  aCode,
  aRevocationList,
  day,
  handKey,
  hour,
  lent,
  now,
  nowMs,
} from './hand-signed.ts'

const world = new World()

const judge = async (
  text: string,
  {
    trust,
    revocations = [],
    atMs = nowMs,
    policy = {},
  }: {
    trust?: Partial<TrustListDocument>
    revocations?: readonly string[]
    atMs?: number
    policy?: Partial<Policy>
  } = {},
) => verifyCode(text, await world.lists(trust, ...revocations), { nowMs: atMs, policy })

describe('a genuine code', () => {
  it('is valid with everything it says, and with the age of the lists', async () => {
    expect(await judge(world.code(), { revocations: [world.revocations()] })).toStrictEqual({
      outcome: 'valid',
      kind: 'display',
      delegated: false,
      claims: aCode(),
      lists: { trustSeconds: hour, revocationsSeconds: hour },
    })
  })

  it.each([
    { name: 'to the last second', changes: { exp: now + 1 }, outcome: 'valid' },
    { name: 'for the tolerance after its end', changes: { exp: now - 29 }, outcome: 'valid' },
    { name: 'not beyond the tolerance', changes: { exp: now - 30, iat: now - 100 }, outcome: 'expired' },
    { name: 'from an issuer whose clock is ahead', changes: { iat: now + 30 }, outcome: 'valid' },
    { name: 'not from the future', changes: { iat: now + 31, exp: now + 100 }, outcome: 'not-yet-valid' },
    { name: 'for less than a display code takes', changes: { exp: now + 5 }, outcome: 'valid' },
  ])('holds $name: $outcome', async ({ changes, outcome }) => {
    expect(await judge(world.code({ iat: now - 60, ...changes }))).toMatchObject({ outcome })
  })

  it('goes by the tolerance of the policy', async () => {
    const late = world.code({ iat: now - 120, exp: now - 1 })
    expect(await judge(late, { policy: { clockSkewSeconds: 0 } })).toMatchObject({
      outcome: 'expired',
      expiredAt: now - 1,
    })
    expect(await judge(late, { policy: { clockSkewSeconds: 2 } })).toMatchObject({ outcome: 'valid' })
  })

  it('says nothing of a test where there was none', async () => {
    const { tst: _tst, ...untested } = aCode()
    expect(await judge(world.xian.sign('chiyuan-code', untested))).toMatchObject({
      outcome: 'valid',
      claims: untested,
    })
  })

  it('fits one QR code, whatever its fields hold', async () => {
    const largest = world.code({
      sub: 's'.repeat(64),
      st: 'yellow',
      seq: Number.MAX_SAFE_INTEGER,
      rid: 'r'.repeat(24),
    })
    expect(await judge(largest)).toMatchObject({ outcome: 'valid' })
    expect(largest.length).toBeLessThanOrEqual(maxCodeChars)
    expect(largest).toHaveLength(514)
  })
})

describe('claims that break the rules, though signed', () => {
  it.each<{ name: string; claims: object }>([
    { name: 'another version', claims: { ...aCode(), v: 2 } },
    { name: 'a colour that is none', claims: { ...aCode(), st: 'blue' } },
    { name: 'a field too many', claims: { ...aCode(), name: 'x' } },
    { name: 'a field too few', claims: { ...aCode(), sub: undefined } },
    { name: 'an end before the beginning', claims: aCode({ exp: now - 11 }) },
    { name: 'more than a day', claims: aCode({ exp: now - 10 + day + 1 }) },
    { name: 'milliseconds', claims: aCode({ iat: nowMs, exp: nowMs + 60 }) },
    { name: 'text for a number', claims: { ...aCode(), exp: String(now + 60) } },
    { name: 'a token that is too short', claims: aCode({ sub: 'short' }) },
    { name: 'a list', claims: [aCode()] },
    { name: 'SQL for a token', claims: aCode({ sub: "' OR 1=1; DROP TABLE residents; --" }) },
    { name: 'SQL for an id', claims: aCode({ rid: "'; DELETE --" }) },
  ])('$name: malformed', async ({ claims }) => {
    const verdict = await judge(world.xian.sign('chiyuan-code', claims))
    expect(verdict).toMatchObject({ outcome: 'malformed', reason: 'claims' })
  })
})

describe('who may sign', () => {
  it('is in the trust list, or unknown', async () => {
    const stranger = handKey()
    expect(await judge(stranger.sign('chiyuan-code', aCode()))).toMatchObject({
      outcome: 'unknown-issuer',
      reason: 'no-such-key',
    })
  })

  it('signs only in the name of its own region', async () => {
    const forged = world.xianyang.sign('chiyuan-code', aCode())
    expect(await judge(forged)).toMatchObject({ outcome: 'unknown-issuer', reason: 'not-its-region' })
  })

  it.each([
    { name: 'before its time', term: { nbf: now - 9 } },
    { name: 'for longer than its own time', term: { exp: now + 109 } },
  ])('does not sign $name', async ({ term }) => {
    const early = handKey(term)
    const trust = { issuers: [{ region: '610100', keys: [early.jwk] }] }
    const verdict = await judge(early.sign('chiyuan-code', aCode()), { trust })
    expect(verdict).toMatchObject({ outcome: 'unknown-issuer', reason: 'beyond-key' })
  })

  it.each<{ name: string; delegations: Delegation[]; claims?: Partial<CodeClaims>; outcome: string }>([
    { name: 'under an agreement', delegations: [lent()], outcome: 'valid' },
    { name: 'under the first of two', delegations: [lent(), lent({ until: now - hour })], outcome: 'valid' },
    { name: 'under the second of two', delegations: [lent({ until: now - hour }), lent()], outcome: 'valid' },
    { name: 'to its very end', delegations: [lent({ from: now - 10, until: now + 110 })], outcome: 'valid' },
    { name: 'without one', delegations: [], outcome: 'undelegated' },
    { name: 'before it begins', delegations: [lent({ from: now - 9 })], outcome: 'undelegated' },
    { name: 'beyond its end', delegations: [lent({ until: now + 109 })], outcome: 'undelegated' },
    {
      name: 'over the gap of two',
      delegations: [lent({ until: now }), lent({ from: now })],
      outcome: 'undelegated',
    },
    {
      name: 'under its reverse',
      delegations: [lent({ donor: '610100', hom: '610400' })],
      outcome: 'undelegated',
    },
    { name: 'for a third region', delegations: [lent({ hom: '610300' })], outcome: 'undelegated' },
    { name: 'for its own residents', delegations: [], claims: { hom: '610400' }, outcome: 'valid' },
  ])('a donor signs $name: $outcome', async ({ delegations, claims = {}, outcome }) => {
    const text = world.xianyang.sign('chiyuan-code', aCode({ iss: '610400', ...claims }))
    const verdict = await judge(text, { trust: { delegations } })
    expect(verdict).toMatchObject({ outcome })
    expect(verdict.outcome !== 'valid' || verdict.delegated).toBe(
      claims.hom === undefined || outcome !== 'valid',
    )
  })
})

describe('revocation', () => {
  const carried = world.xian.sign('chiyuan-code', aCarried())

  it.each([
    { name: 'by its id', revoked: [{ rid: 'rid-00000001' }], outcome: 'revoked' },
    {
      name: 'by its id, if issued before',
      revoked: [{ rid: 'rid-00000001', before: now - 9 }],
      outcome: 'revoked',
    },
    {
      name: 'not by its id, if issued after',
      revoked: [{ rid: 'rid-00000001', before: now - 10 }],
      outcome: 'valid',
    },
    {
      name: 'with all older ones of its resident',
      revoked: [{ sub: aCode().sub, before: now - 9 }],
      outcome: 'revoked',
    },
    {
      name: 'not when it is a newer one',
      revoked: [{ sub: aCode().sub, before: now - 10 }],
      outcome: 'valid',
    },
    { name: 'not for another one', revoked: [{ rid: 'rid-00000002' }], outcome: 'valid' },
    {
      name: 'by the wider of two entries',
      revoked: [{ rid: 'rid-00000001' }, { rid: 'rid-00000001', before: 5 }],
      outcome: 'revoked',
    },
  ])('$name: $outcome', async ({ revoked, outcome }) => {
    expect(await judge(carried, { revocations: [world.revocations({ iat: now, revoked })] })).toMatchObject({
      outcome,
    })
  })

  // The resident turned red at home while a donor's green code was out.
  it('reaches what a donor signed about a resident of the home region', async () => {
    const text = world.xianyang.sign('chiyuan-code', aCode({ iss: '610400' }))
    const revoked = world.revocations({ iat: now, revoked: [{ sub: aCode().sub, before: now }] })
    const trust = { delegations: [lent()] }
    expect(await judge(text, { trust })).toMatchObject({ outcome: 'valid' })
    expect(await judge(text, { trust, revocations: [revoked] })).toMatchObject({ outcome: 'revoked' })
  })

  it('reaches what a donor signed, by the donor’s own list', async () => {
    const text = world.xianyang.sign('chiyuan-code', aCode({ iss: '610400' }))
    const list = aRevocationList(world.xianyang.kid, { iss: '610400', revoked: [{ rid: aCode().rid }] })
    const revocations = [world.xianyang.sign('chiyuan-revocation-list', list)]
    expect(await judge(text, { trust: { delegations: [lent()] }, revocations })).toMatchObject({
      outcome: 'revoked',
    })
  })

  it('does not reach into another region', async () => {
    const text = world.xianyang.sign('chiyuan-code', aCode({ iss: '610400', hom: '610400' }))
    const revoked = world.revocations({
      iat: now,
      revoked: [{ sub: aCode().sub, before: now }, { rid: aCode().rid }],
    })
    expect(await judge(text, { revocations: [revoked] })).toMatchObject({ outcome: 'valid' })
  })

  it('still counts when its list has grown too old', async () => {
    const revoked = world.revocations({ revoked: [{ rid: 'rid-00000001' }], nextUpdate: now - 1 })
    expect(await judge(carried, { revocations: [revoked] })).toMatchObject({ outcome: 'revoked' })
  })
})

describe('lists too old', () => {
  const trustList = { outcome: 'list-too-old', list: 'trust-list' }
  const revocationList = { outcome: 'list-too-old', list: 'revocation-list' }
  const carried = world.xian.sign('chiyuan-code', aCarried())

  it.each([
    { name: 'two days', trust: { iat: now - 2 * day }, want: { outcome: 'valid' } },
    {
      name: 'more than two days',
      trust: { iat: now - 2 * day - 1 },
      want: { ...trustList, why: 'over-age' },
    },
    { name: 'its successor due', trust: { nextUpdate: now }, want: { ...trustList, why: 'over-age' } },
  ])('a trust list of $name', async ({ trust, want }) => {
    expect(await judge(world.code(), { trust })).toMatchObject(want)
  })

  it('no trust list at all', async () => {
    const verdict = await verifyCode(world.code(), await world.noLists(), { nowMs })
    expect(verdict).toStrictEqual({
      ...trustList,
      why: 'missing',
      lists: { trustSeconds: null, revocationsSeconds: null },
    })
  })

  it('a clock set back to bring an expired code to life', async () => {
    const old = world.code({ iat: now - 3 * hour, exp: now - 3 * hour + 120 })
    const verdict = await judge(old, { atMs: nowMs - 3 * hour * 1000 })
    expect(verdict).toMatchObject({ ...trustList, why: 'ahead-of-clock' })
  })

  it.each([
    { name: 'missing', revocations: [], want: { ...revocationList, why: 'missing' } },
    { name: 'fresh', revocations: [world.revocations()], want: { outcome: 'valid', kind: 'carried' } },
    {
      name: 'too old',
      revocations: [world.revocations({ iat: now - 2 * day - 1 })],
      want: { ...revocationList, why: 'over-age' },
    },
    {
      name: 'overdue',
      revocations: [world.revocations({ nextUpdate: now - 1 })],
      want: { ...revocationList, why: 'over-age' },
    },
  ])('a carried credential, its revocation list $name', async ({ revocations, want }) => {
    expect(await judge(carried, { revocations })).toMatchObject(want)
  })

  it('a display code needs no revocation list, unless the policy says so', async () => {
    expect(await judge(world.code())).toMatchObject({ outcome: 'valid', lists: { revocationsSeconds: null } })
    const policy: Partial<Policy> = { revocationsNeededFor: 'every-code' }
    expect(await judge(world.code(), { policy })).toMatchObject({ ...revocationList, why: 'missing' })
  })

  it('a list of another key of the region does not do', async () => {
    const second = handKey()
    const trust = { issuers: [{ region: '610100', keys: [world.xian.jwk, second.jwk] }] }
    const other = world.xian.sign('chiyuan-revocation-list', aRevocationList(second.kid))
    expect(await judge(carried, { trust, revocations: [other] })).toMatchObject({
      ...revocationList,
      why: 'missing',
    })
  })
})
