// Paper outlives the time in which its key signs: through rotations it is good to its end, and its key for nothing else.
import { describe, expect, it } from '@jest/globals'
import { CodeSigner } from '../../../region-node/signing/code-signer.ts'
import { KeyRing } from '../../../region-node/signing/key-ring.ts'
import { signRevocationList, signTrustList } from '../../../region-node/signing/list-signer.ts'
import { createFirstKey, rotate } from '../../../region-node/signing/rotation.ts'
import { emptyLists, takeRevocationList, takeTrustList } from '../../../region-node/verify/lists.ts'
import type { Lists } from '../../../region-node/verify/lists.ts'
import { readRoots } from '../../../region-node/verify/roots.ts'
import type { Delegation } from '../../../region-node/verify/trust-list.ts'
import { verifyCode } from '../../../region-node/verify/verify-code.ts'
import { temporaryFolder } from '../running-node.ts'
import { day, lent, mustTake, now, nowMs, paperRid } from '../verify/hand-signed.ts'

const at = (seconds: number): number => (now + seconds) * 1000
const keyOptions = { nowMs, days: 180, passphrase: null }
const subject = { hom: '610100', sub: ['synthetic-token-0001'], rid: paperRid(1) }

/** As an operator would issue lists at that time: of what the rings publish, one of losses for each key. */
async function listsAt(root: KeyRing, ring: KeyRing, seconds: number, counter = 1): Promise<Lists> {
  const time = { nowMs: at(seconds), validSeconds: day }
  const read = await readRoots(root.jwks(time.nowMs))
  if (!read.ok) throw new Error(read.detail)
  const keys = [...ring.jwks(time.nowMs).keys]
  const trust = { counter, issuers: [{ region: ring.region, keys }], delegations: [] }
  let lists = mustTake(
    await takeTrustList(emptyLists(read.roots), await signTrustList(root, trust, time), time),
  )
  for (const { kid } of keys) {
    const losses = await signRevocationList(ring, { counter, kid, revoked: [] }, time)
    lists = mustTake(await takeRevocationList(lists, losses, time))
  }
  return lists
}

const signer = (ring: KeyRing, delegations: readonly Delegation[] = []): CodeSigner =>
  new CodeSigner({ ring, delegations: () => delegations })

async function printed(ring: KeyRing, seconds: number) {
  const signing = await signer(ring).paper(subject, at(seconds))
  if (!signing.ok) throw new Error(signing.reason)
  return signing.code
}

describe('a paper signed a second before its key retires', () => {
  it('is good for its 90 days, and its key is gone from the lists after them', async () => {
    using home = temporaryFolder()
    await createFirstKey(home.file('root'), '100000', { ...keyOptions, days: 365 })
    await createFirstKey(home.file('610100'), '610100', keyOptions)
    const root = await KeyRing.open(home.file('root'))
    await rotate(home.file('610100'), { ...keyOptions, nowMs: at(8 * day), leadSeconds: 2 * day })
    const ring = await KeyRing.open(home.file('610100'))
    const change = 10 * day
    const paper = await printed(ring, change - 1)
    expect(paper.exp).toBe(now + change - 1 + 90 * day)
    const outcomeAt = async (seconds: number): Promise<string> => {
      const lists = await listsAt(root, ring, seconds)
      const verdict = await verifyCode(paper.text, lists, { nowMs: at(seconds) })
      return verdict.outcome
    }
    for (const seconds of [change, 40 * day, 99 * day, change + 90 * day - 2]) {
      expect(await outcomeAt(seconds)).toBe('genuine-paper')
    }
    expect(await outcomeAt(change + 90 * day + 60)).toBe('expired')
    expect(await outcomeAt(change + 90 * day + 300)).toBe('unknown-issuer')
  })

  it('does not help a thief of that key to a fresh code', async () => {
    using home = temporaryFolder()
    await createFirstKey(home.file('root'), '100000', keyOptions)
    await createFirstKey(home.file('610100'), '610100', keyOptions)
    // What the thief copied: a ring in which nothing follows the key.
    const stolen = await KeyRing.open(home.file('610100'))
    await rotate(home.file('610100'), { ...keyOptions, leadSeconds: day })
    const root = await KeyRing.open(home.file('root'))
    const lists = await listsAt(root, await KeyRing.open(home.file('610100')), 5 * day)
    const green = { hom: '610100', sub: 'synthetic-token-0001', st: 'green', seq: 1 } as const
    const forged = await signer(stolen).display(green, { nowMs: at(5 * day) })
    const paper = await printed(stolen, 5 * day)
    for (const text of [forged.ok ? forged.code.text : '', paper.text]) {
      expect(await verifyCode(text, lists, { nowMs: at(5 * day) })).toMatchObject({
        outcome: 'unknown-issuer',
        reason: 'beyond-key',
      })
    }
  })
})

it('no paper is signed beyond its key or agreement, nor where there is none', async () => {
  using home = temporaryFolder()
  await createFirstKey(home.file('610400'), '610400', keyOptions)
  const ring = await KeyRing.open(home.file('610400'))
  const own = { ...subject, hom: '610400' }
  const endOf = async (hom: typeof subject, seconds: number, ...delegations: Delegation[]) => {
    const signing = await signer(ring, delegations).paper(hom, at(seconds))
    return signing.ok ? signing.code.exp - now : signing.reason
  }
  expect(await endOf(own, 0)).toBe(90 * day)
  expect(await endOf(own, 100 * day)).toBe(180 * day)
  expect(await endOf(own, 180 * day)).toBe('no-key')
  expect(await endOf(subject, 0)).toBe('undelegated')
  expect(await endOf(subject, 0, lent({ until: now + 5 * day }))).toBe(5 * day)
  expect(await endOf(subject, 6 * day, lent({ until: now + 5 * day }))).toBe('undelegated')
})
