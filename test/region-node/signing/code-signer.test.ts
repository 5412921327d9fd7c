import { describe, expect, it, jest } from '@jest/globals'
import { CodeSigner } from '../../../region-node/signing/code-signer.ts'
import type { CodeSubject, Signing } from '../../../region-node/signing/code-signer.ts'
import { KeyRing } from '../../../region-node/signing/key-ring.ts'
import { signRevocationList, signTrustList } from '../../../region-node/signing/list-signer.ts'
import { createFirstKey, rotate } from '../../../region-node/signing/rotation.ts'
import { emptyLists, takeRevocationList, takeTrustList } from '../../../region-node/verify/lists.ts'
import type { Lists } from '../../../region-node/verify/lists.ts'
import { readRoots } from '../../../region-node/verify/roots.ts'
import { delegationsOf } from '../../../region-node/verify/trust-list.ts'
import type { Delegation } from '../../../region-node/verify/trust-list.ts'
import { maxCodeChars, verifyCode } from '../../../region-node/verify/verify-code.ts'
import { temporaryFolder } from '../running-node.ts'
import { day, hour, lent, mustTake, now, nowMs } from '../verify/hand-signed.ts'

// Hundreds of signatures take their time on a busy machine.
jest.setTimeout(60_000)

const subject: CodeSubject = {
  hom: '610100',
  sub: 'synthetic-token-0001',
  st: 'green',
  tst: now - day,
  seq: 7,
}
const at = (seconds: number): number => (now + seconds) * 1000

/** Rings of a root, of Xi'an and of Xianyang, and the lists that a verifier has of them. */
async function federation(home: ReturnType<typeof temporaryFolder>, delegations: Delegation[] = []) {
  const make = async (region: string, days = 90): Promise<KeyRing> => {
    await createFirstKey(home.file(region), region, { nowMs, days, passphrase: null })
    return KeyRing.open(home.file(region))
  }
  const [root, xian, xianyang] = [await make('100000'), await make('610100'), await make('610400')]
  const read = await readRoots(root.jwks(nowMs))
  if (!read.ok) throw new Error(read.detail)
  const trusting = async (
    lists: Lists,
    rings: readonly KeyRing[],
    counter: number,
    atMs: number,
  ): Promise<Lists> => {
    const issuers = rings.map((ring) => ({ region: ring.region, keys: [...ring.jwks(atMs).keys] }))
    const content = { counter, issuers, delegations }
    const text = await signTrustList(root, content, { nowMs: atMs, validSeconds: day })
    return mustTake(await takeTrustList(lists, text, { nowMs: atMs }))
  }
  const lists = await trusting(emptyLists(read.roots), [xian, xianyang], 1, nowMs)
  return { root, xian, xianyang, lists, trusting }
}

const codeOf = (signing: Signing): string => {
  if (!signing.ok) throw new Error(signing.reason)
  return signing.code.text
}
const signerOf = (ring: KeyRing, lists: Lists | null = null): CodeSigner =>
  new CodeSigner({
    ring,
    delegations: (donor, hom) => (lists?.trust ? delegationsOf(lists.trust, donor, hom) : []),
  })

describe('a code of the home region', () => {
  it('is verified with everything that was said', async () => {
    using home = temporaryFolder()
    const { xian, lists } = await federation(home)
    const signing = await signerOf(xian).display(subject, { nowMs })
    const verdict = await verifyCode(codeOf(signing), lists, { nowMs })
    const rid: unknown = expect.stringMatching(/^[A-Za-z0-9_-]{12}$/)
    expect(verdict).toMatchObject({
      outcome: 'valid',
      kind: 'display',
      claims: { v: 1, iss: '610100', ...subject, iat: now, exp: now + 120, rid },
    })
  })

  it('never has the same revocation id twice', async () => {
    using home = temporaryFolder()
    const { xian } = await federation(home)
    const signer = signerOf(xian)
    const rids = new Set<string>()
    for (let i = 0; i < 200; i += 1) {
      const signing = await signer.display(subject, { nowMs })
      if (signing.ok) rids.add(signing.code.rid)
    }
    expect(rids.size).toBe(200)
  })

  it.each([
    { kind: 'display', seconds: 59, right: '60 to 300' },
    { kind: 'display', seconds: 301, right: '60 to 300' },
    { kind: 'display', seconds: 60.5, right: '60 to 300' },
    { kind: 'carried', seconds: 300, right: '301 to 86400' },
    { kind: 'carried', seconds: 86_401, right: '301 to 86400' },
  ] as const)('$kind for $seconds s is refused', async ({ kind, seconds, right }) => {
    using home = temporaryFolder()
    const { xian } = await federation(home)
    const sign = async (): Promise<Signing> =>
      signerOf(xian)[kind](subject, { nowMs, lifetimeSeconds: seconds })
    await expect(sign()).rejects.toThrow(`${seconds} s is not allowed; give whole seconds from ${right}`)
  })

  it('is refused when a field breaks the format, and the error does not tell the resident', async () => {
    using home = temporaryFolder()
    const { xian } = await federation(home)
    const signing = signerOf(xian).display({ ...subject, sub: 'a name!' }, { nowMs })
    await expect(signing).rejects.toThrow('a token of 16 to 64 letters')
    await expect(signing).rejects.not.toThrow('a name!')
  })

  it('is signed by nobody when no key’s time is now', async () => {
    using home = temporaryFolder()
    const { xian } = await federation(home)
    expect(await signerOf(xian).display(subject, { nowMs: at(91 * day) })).toStrictEqual({
      ok: false,
      reason: 'no-key',
    })
  })

  it('never outlives its key', async () => {
    using home = temporaryFolder()
    const { xian, lists, trusting } = await federation(home)
    const lateMs = at(90 * day - hour)
    const signing = await signerOf(xian).carried(subject, { nowMs: lateMs })
    expect(signing).toMatchObject({ ok: true, code: { exp: now + 90 * day } })
    const later = await trusting(lists, [xian], 2, lateMs)
    const policy = { revocationsNeededFor: 'carried', maxTrustListAgeSeconds: day } as const
    const revoked = await signRevocationList(
      xian,
      { counter: 1, kid: xian.jwks(lateMs).keys[0]?.kid ?? '', revoked: [] },
      { nowMs: lateMs, validSeconds: day },
    )
    const complete = mustTake(await takeRevocationList(later, revoked, { nowMs: lateMs }))
    expect(await verifyCode(codeOf(signing), complete, { nowMs: lateMs, policy })).toMatchObject({
      outcome: 'valid',
      kind: 'carried',
    })
  })
})

describe('a donor', () => {
  it('signs for the home region’s residents under an agreement, with its own key', async () => {
    using home = temporaryFolder()
    const { xianyang, lists } = await federation(home, [lent()])
    const signing = await signerOf(xianyang, lists).display(subject, { nowMs })
    expect(await verifyCode(codeOf(signing), lists, { nowMs })).toMatchObject({
      outcome: 'valid',
      delegated: true,
      claims: { iss: '610400', hom: '610100', st: 'green' },
    })
  })

  it.each([
    { name: 'without an agreement', delegations: [], seconds: 0 },
    { name: 'before it begins', delegations: [lent({ from: now + 1 })], seconds: 0 },
    { name: 'when it has ended', delegations: [lent({ until: now + hour })], seconds: hour },
  ])('does not sign $name', async ({ delegations, seconds }) => {
    using home = temporaryFolder()
    const { xianyang, lists } = await federation(home, delegations)
    const signing = await signerOf(xianyang, lists).carried(subject, { nowMs: at(seconds) })
    expect(signing).toStrictEqual({ ok: false, reason: 'undelegated' })
  })

  it('never signs beyond the agreement’s end, also when a display code would be short', async () => {
    using home = temporaryFolder()
    const { xianyang, lists } = await federation(home, [lent({ until: now + 2 * hour })])
    const signer = signerOf(xianyang, lists)
    const carried = await signer.carried(subject, { nowMs })
    expect(carried).toMatchObject({ ok: true, code: { exp: now + 2 * hour } })
    const last = await signer.display(subject, { nowMs: at(2 * hour - 20) })
    expect(last).toMatchObject({ ok: true, code: { exp: now + 2 * hour } })
    expect(await verifyCode(codeOf(last), lists, { nowMs: at(2 * hour - 10) })).toMatchObject({
      outcome: 'valid',
    })
    expect(await verifyCode(codeOf(last), lists, { nowMs: at(2 * hour + 30) })).toMatchObject({
      outcome: 'expired',
    })
  })

  it('can’t sign a list that voids the home region’s codes', async () => {
    using home = temporaryFolder()
    const { xian, xianyang, lists } = await federation(home, [lent()])
    const kid = xian.jwks(nowMs).keys[0]?.kid ?? ''
    const text = await signRevocationList(
      xianyang,
      { counter: 1, kid, revoked: [] },
      { nowMs, validSeconds: day },
    )
    expect(await takeRevocationList(lists, text, { nowMs })).toMatchObject({
      ok: false,
      reason: 'unknown-signer',
    })
  })
})

// The clock goes through a rotation second by second where it matters; a code is carried over each change.
it('codes stay valid through a rotation, to the end of each', async () => {
  using home = temporaryFolder()
  const { xian, root, lists: first, trusting } = await federation(home)
  await rotate(home.file('610100'), { nowMs, days: 90, passphrase: null, leadSeconds: 2 * day })
  const ring = await KeyRing.open(home.file('610100'))
  const old = xian.jwks(nowMs).keys[0]?.kid ?? ''
  const change = 2 * day
  let lists = first
  let counter = 1
  const signed: { text: string; from: number; exp: number; kid: string }[] = []
  for (const seconds of [
    0,
    hour,
    change - 1,
    change,
    change + 1,
    change + day - 2,
    change + day,
    change + 2 * day,
  ]) {
    counter += 1
    lists = await trusting(lists, [ring], counter, at(seconds))
    for (const { kid } of ring.jwks(at(seconds)).keys) {
      const content = { counter, kid, revoked: [] }
      const text = await signRevocationList(ring, content, { nowMs: at(seconds), validSeconds: day })
      lists = mustTake(await takeRevocationList(lists, text, { nowMs: at(seconds) }))
    }
    const kid = ring.signerAt(at(seconds))?.jwk.kid ?? ''
    expect(kid === old).toBe(seconds < change)
    const signing = await signerOf(ring).carried(subject, { nowMs: at(seconds) })
    if (signing.ok) signed.push({ text: signing.code.text, from: seconds, exp: signing.code.exp, kid })
    for (const { text, exp } of signed) {
      const { outcome } = await verifyCode(text, lists, {
        nowMs: at(seconds),
        policy: { clockSkewSeconds: 0 },
      })
      // Once its last code has expired the old key is gone from the list, and its codes with it.
      expect(outcome === 'unknown-issuer' ? 'expired' : outcome).toBe(
        now + seconds < exp ? 'valid' : 'expired',
      )
    }
  }
  expect(new Set(signed.map(({ kid }) => kid)).size).toBe(2)
  expect(root.region).toBe('100000')
})

it('the largest code that can be signed fits one QR code', async () => {
  using home = temporaryFolder()
  const { xian } = await federation(home)
  const largest: CodeSubject = { ...subject, sub: 's'.repeat(64), st: 'yellow', seq: Number.MAX_SAFE_INTEGER }
  const text = codeOf(await signerOf(xian).carried(largest, { nowMs }))
  expect(text.length).toBeLessThanOrEqual(maxCodeChars)
  expect(text).toHaveLength(498)
})

describe('lists', () => {
  it.each([
    { name: 'no issuer', content: { issuers: [] }, says: 'issuers' },
    { name: 'a counter of 0', content: { counter: 0 }, says: 'counter' },
  ])('with $name are not signed', async ({ content, says }) => {
    using home = temporaryFolder()
    const { root, xian } = await federation(home)
    const good = {
      counter: 2,
      issuers: [{ region: '610100', keys: [...xian.jwks(nowMs).keys] }],
      delegations: [],
    }
    const sign = async (): Promise<string> =>
      signTrustList(root, { ...good, ...content }, { nowMs, validSeconds: day })
    await expect(sign()).rejects.toThrow(says)
  })

  it('are signed by nobody when no key’s time is now', async () => {
    using home = temporaryFolder()
    const { xian } = await federation(home)
    const kid = xian.jwks(nowMs).keys[0]?.kid ?? ''
    const sign = async (): Promise<string> =>
      signRevocationList(xian, { counter: 1, kid, revoked: [] }, { nowMs: at(91 * day), validSeconds: day })
    await expect(sign()).rejects.toThrow('no key of region 610100 may sign now')
  })
})
