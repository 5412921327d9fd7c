// What a printed code proves without a network, and what somebody with a printer would try.
import { describe, expect, it } from '@jest/globals'
import { maxCodeChars, verifyCode } from '../../../region-node/verify/verify-code.ts'
import type { VerifyOptions } from '../../../region-node/verify/verify-code.ts'
import {
  World,
  aCode,
  aPaper,
  aRevocationList,
  aTrustList,
  day,
  handKey,
  lent,
  mustTake,
  now,
  nowMs,
  paperRid,
} from './hand-signed.ts'
import type { HandKey } from './hand-signed.ts'
import { takeRevocationList, takeTrustList } from '../../../region-node/verify/lists.ts'

const world = new World()
const losses = world.revocations()
const lending = { delegations: [lent({ from: now - 20 * day, until: now + 50 * day })] }
// Nobody has lost anything that Xianyang signed.
const lossesOfXianyang = world.xianyang.sign(
  'chiyuan-revocation-list',
  aRevocationList(world.xianyang.kid, { iss: '610400' }),
)

interface Given extends Partial<VerifyOptions> {
  readonly trust?: object
  readonly revocations?: readonly string[]
}

const judge = async (text: string, { trust = {}, revocations = [losses], ...options }: Given = {}) =>
  verifyCode(text, await world.lists(trust, ...revocations), { nowMs, ...options })
const outcomeOf = async (text: string, given?: Given): Promise<string> => {
  const verdict = await judge(text, given)
  return 'reason' in verdict ? `${verdict.outcome}: ${verdict.reason}` : verdict.outcome
}

describe('a genuine paper', () => {
  it('says whom it stands for and until when, and no colour', async () => {
    const verdict = await judge(world.paper())
    expect(verdict).toStrictEqual({
      outcome: 'genuine-paper',
      delegated: false,
      claims: aPaper(),
      lists: { trustSeconds: 3600, revocationsSeconds: 3600 },
    })
    expect(JSON.stringify(verdict)).not.toMatch(/green|yellow|red/)
  })

  it.each([
    { name: 'to its end and the tolerance', changes: { exp: now - 29 }, is: 'genuine-paper' },
    { name: 'not longer', changes: { exp: now - 30 }, is: 'expired' },
    { name: 'not before it is printed', changes: { iat: now + 31 }, is: 'not-yet-valid' },
    { name: 'for 90 days', changes: { exp: now + 60 * day, iat: now - 30 * day }, is: 'genuine-paper' },
    {
      name: 'for a second more',
      changes: { exp: now + 60 * day, iat: now - 30 * day - 1 },
      is: 'malformed: claims',
    },
    // 9999-12-31.
    { name: 'until the year 9999', changes: { exp: 253_402_214_400 }, is: 'malformed: claims' },
    { name: 'until 2286', changes: { exp: 9_999_999_999 }, is: 'malformed: claims' },
  ])('holds $name: $is', async ({ changes, is }) => {
    expect(await outcomeOf(world.paper(changes))).toBe(is)
  })

  it('stands for a family of nine in one QR code, and for no more', async () => {
    // As long as the tokens of residents are.
    const family = (people: number): string[] =>
      Array.from({ length: people }, (_, nth) => `token-of-22-chars-${String(nth).padStart(4, '0')}`)
    expect(world.paper({ sub: family(1) })).toHaveLength(387)
    const nine = world.paper({ sub: family(9) })
    expect(nine).toHaveLength(654)
    expect(await outcomeOf(nine)).toBe('genuine-paper')
    expect(await outcomeOf(world.paper({ sub: family(10) }))).toBe('malformed: claims')
    const crowd = world.paper({ sub: family(1000) })
    expect(crowd.length).toBeGreaterThan(maxCodeChars)
    expect(await outcomeOf(crowd)).toBe('malformed: too-long')
  })

  it.each([
    { name: 'nobody', sub: [] },
    { name: 'one twice', sub: ['synthetic-token-0001', 'synthetic-token-0001'] },
    { name: 'a text', sub: 'synthetic-token-0001' },
  ])('does not stand for $name', async ({ sub }) => {
    const text = world.xian.sign('chiyuan-paper', { ...aPaper(), sub })
    expect(await outcomeOf(text)).toBe('malformed: claims')
  })
})

describe('a lost paper', () => {
  const lost = world.revocations({ revoked: [{ rid: paperRid(1) }] })

  it('is refused, and the next one is not', async () => {
    expect(await outcomeOf(world.paper(), { revocations: [lost] })).toBe('revoked')
    expect(await outcomeOf(world.paper({ rid: paperRid(2) }), { revocations: [lost] })).toBe('genuine-paper')
  })

  it('is refused also under a list that is too old, and none is believed without a list', async () => {
    expect(await outcomeOf(world.paper(), { revocations: [] })).toBe('list-too-old')
    const late = { nowMs: nowMs + 3 * day * 1000 }
    const trust = { nextUpdate: now + 9 * day }
    const policy = { maxTrustListAgeSeconds: 9 * day }
    expect(await outcomeOf(world.paper(), { ...late, trust, policy })).toBe('list-too-old')
    expect(await outcomeOf(world.paper(), { ...late, trust, policy, revocations: [lost] })).toBe('revoked')
  })

  it('needs no list where losses are reported, but one that names it counts there too', async () => {
    const home = { lossesKnownOf: '610100' }
    expect(await outcomeOf(world.paper(), { ...home, revocations: [] })).toBe('genuine-paper')
    expect(await outcomeOf(world.paper(), { ...home, revocations: [lost] })).toBe('revoked')
    const byDonor = world.xianyang.sign('chiyuan-paper', aPaper({ iss: '610400' }))
    expect(await outcomeOf(byDonor, { ...home, trust: lending, revocations: [] })).toBe('list-too-old')
  })

  it('does not become good under the name of another: the name is signed', async () => {
    const [head, , seal] = world.paper().split('.')
    const [, other] = world.paper({ rid: paperRid(2) }).split('.')
    expect(await outcomeOf([head, other, seal].join('.'), { revocations: [lost] })).toBe('tampered')
  })

  it('a resident who turned red keeps the paper: it told no colour', async () => {
    const turned = world.revocations({ revoked: [{ sub: 'synthetic-token-0001', before: now - 3600 }] })
    expect(await outcomeOf(world.paper(), { revocations: [turned] })).toBe('genuine-paper')
    expect(
      await outcomeOf(world.code({ iat: now - 2 * 3600, exp: now + 3600 }), { revocations: [turned] }),
    ).toBe('revoked')
  })
})

describe('a forger', () => {
  const mallory = handKey()

  it.each([
    ['signs with a key of nobody', mallory.sign('chiyuan-paper', aPaper()), 'unknown-issuer: no-such-key'],
    [
      'signs as home with another region’s key',
      world.xianyang.sign('chiyuan-paper', aPaper()),
      'unknown-issuer: not-its-region',
    ],
    [
      'signs for a home that lends nothing',
      world.xianyang.sign('chiyuan-paper', aPaper({ iss: '610400' })),
      'undelegated',
    ],
    ['calls a shown code paper', world.xian.sign('chiyuan-paper', aCode()), 'malformed: claims'],
    ['calls a paper a shown code', world.xian.sign('chiyuan-code', aPaper()), 'malformed: claims'],
    ['adds a colour', world.xian.sign('chiyuan-paper', { ...aPaper(), st: 'green' }), 'malformed: claims'],
    ['names it short', world.paper({ rid: 'rid-00000001' }), 'malformed: claims'],
    ['calls it a list', world.xian.sign('chiyuan-trust-list', aPaper()), 'malformed: header'],
  ])('who %s', async (_name, text, outcome) => {
    expect(await outcomeOf(text)).toBe(outcome)
  })

  it('who exchanges the header of a paper and of a shown code', async () => {
    const [paper, code] = [world.paper().split('.'), world.code().split('.')]
    const [paperHead = ''] = paper
    const [codeHead = ''] = code
    expect(await outcomeOf([codeHead, ...paper.slice(1)].join('.'))).toBe('tampered')
    expect(await outcomeOf([paperHead, ...code.slice(1)].join('.'))).toBe('tampered')
  })
})

it('a donor signs paper while an agreement covers the whole life of it, and not else', async () => {
  const byDonor = (changes = {}): string =>
    world.xianyang.sign('chiyuan-paper', aPaper({ iss: '610400', ...changes }))
  const given = { trust: lending, revocations: [lossesOfXianyang] }
  expect(await judge(byDonor(), given)).toMatchObject({ outcome: 'genuine-paper', delegated: true })
  expect(await outcomeOf(byDonor({ exp: now + 50 * day + 1 }), given)).toBe('undelegated')
  // Home takes back what was signed in its name.
  const taken = world.revocations({ revoked: [{ rid: paperRid(1) }] })
  expect(await outcomeOf(byDonor(), { ...given, revocations: [lossesOfXianyang, taken] })).toBe('revoked')
})

describe('a key that signs no more', () => {
  const retired = handKey({ nbf: now - 60 * day, exp: now + 90 * day })
  const change = now - 10 * day
  const listed = (key: HandKey, signsUntil: number): HandKey => ({ ...key, jwk: { ...key.jwk, signsUntil } })

  const judgeRetired = async (text: string): Promise<string> => {
    const keys = { '610100': [listed(retired, change), world.xian] }
    const trust = world.root.sign('chiyuan-trust-list', aTrustList(keys))
    const trusting = mustTake(await takeTrustList(await world.noLists(), trust, { nowMs }))
    const of = world.xian.sign('chiyuan-revocation-list', aRevocationList(retired.kid))
    const lists = mustTake(await takeRevocationList(trusting, of, { nowMs }))
    const verdict = await verifyCode(text, lists, { nowMs })
    return 'reason' in verdict ? `${verdict.outcome}: ${verdict.reason}` : verdict.outcome
  }

  it('vouches for the paper that it signed in its time, and for nothing fresh', async () => {
    const paper = (iat: number): string => retired.sign('chiyuan-paper', aPaper({ iat }))
    expect(await judgeRetired(paper(change - 1))).toBe('genuine-paper')
    expect(await judgeRetired(paper(change))).toBe('unknown-issuer: beyond-key')
    expect(await judgeRetired(retired.sign('chiyuan-code', aCode()))).toBe('unknown-issuer: beyond-key')
  })

  it('signs no list any more', async () => {
    const keys = { '610100': [listed(retired, change)] }
    const trust = world.root.sign('chiyuan-trust-list', aTrustList(keys))
    const trusting = mustTake(await takeTrustList(await world.noLists(), trust, { nowMs }))
    const list = retired.sign('chiyuan-revocation-list', aRevocationList(retired.kid))
    expect(await takeRevocationList(trusting, list, { nowMs })).toMatchObject({ reason: 'unknown-signer' })
  })
})
