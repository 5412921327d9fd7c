// The kit takes a node that is made quite differently, and finds each single fault in it, and nothing else.
import { describe, expect, it } from '@jest/globals'
import { runConformance } from '../../../region-node/conformance/run.ts'
import { cardJson, cardText } from '../../../region-node/conformance/card.ts'
import { failedIds, notPassed, paperSkipped } from './judged.ts'
import { startTinyNode } from './tiny-node.ts'
import type { Fault } from './tiny-node.ts'

const DONOR = '610400'
const RESIDENTS = ['R610100-000001', 'R610100-000002', 'R610100-000003'] as const

async function cardOf(fault?: Fault, region?: string) {
  await using node = await startTinyNode(fault, region)
  return await runConformance({
    url: node.url,
    home: '610100',
    otherHome: '999999',
    residents: RESIDENTS,
    expiredCode: node.expiredCode,
    write: true,
    overload: true,
    // Long enough for a machine that pauses.
    timeoutMs: fault === 'hangs' ? 1_500 : 10_000,
  })
}

describe('a node of another make', () => {
  it('conforms as home', async () => {
    expect(notPassed(await cardOf())).toStrictEqual([])
  })

  it('conforms as a donor, which prints no paper', async () => {
    expect(notPassed(await cardOf(undefined, DONOR))).toStrictEqual(paperSkipped)
  })
})

interface Broken {
  readonly fault: Fault
  /** Exactly these checks fail. */
  readonly fails: readonly string[]
  readonly region?: string
}

const broken: readonly Broken[] = [
  { fault: 'betters-on-negative', fails: ['codes.negative-never-betters'] },
  { fault: 'ignores-positive', fails: ['codes.positive-reddens'] },
  { fault: 'registers-twice', fails: ['idempotency.replay'] },
  { fault: 'answers-anew', fails: ['idempotency.replay'] },
  { fault: 'key-reuse', fails: ['idempotency.key-reused'] },
  { fault: 'no-key-needed', fails: ['idempotency.key-required'] },
  { fault: 'unknown-is-green', fails: ['errors.unknown-resident'] },
  { fault: 'foreign-key', fails: ['codes.signature', 'verification.genuine'] },
  { fault: 'expired-code', fails: ['codes.lifetime', 'verification.genuine'] },
  { fault: 'long-lived-code', fails: ['codes.lifetime'] },
  { fault: 'other-colour', fails: ['codes.claims'] },
  { fault: 'same-rid', fails: ['codes.rid'] },
  { fault: 'donor-live', region: DONOR, fails: ['freshness.truthful', 'freshness.verified'] },
  { fault: 'stack-in-error', fails: ['leaks.internals'] },
  { fault: 'plain-errors', fails: ['errors.form'] },
  { fault: 'no-retry-after', fails: ['overload.refuses'] },
  { fault: 'resets-when-full', fails: ['overload.refuses'] },
  { fault: 'probes-when-full', fails: ['overload.probes'] },
  { fault: 'public-cache', fails: ['leaks.caching'] },
  { fault: 'no-limit', fails: ['load.shape'] },
  { fault: 'counts-nothing', fails: ['load.counts'] },
  { fault: 'ready-for-all', fails: ['health.not-held'] },
  { fault: 'echoes-id', fails: ['leaks.resident-id'] },
  { fault: 'echoes-number', fails: ['leaks.id-number', 'leaks.resident-id'] },
  { fault: 'banner', fails: ['leaks.banner'] },
  { fault: 'hangs', fails: ['health.not-held'] },
  { fault: 'endless', fails: ['health.not-held'] },
  { fault: 'resets', fails: ['health.not-held'] },
  { fault: 'believes-expired', fails: ['verification.expired'] },
  { fault: 'believes-alg-none', fails: ['verification.alg-none'] },
  {
    fault: 'believes-all',
    fails: [
      'verification.expired',
      'verification.tampered',
      'verification.alg-none',
      'verification.foreign-signature',
      'verification.unknown-kid',
    ],
  },
  { fault: 'paper-tells-colour', fails: ['paper.issued'] },
  { fault: 'paper-is-green', fails: ['paper.verified'] },
  { fault: 'takes-lost-paper', fails: ['paper.lost'] },
  { fault: 'no-allow', fails: ['errors.method'] },
  { fault: 'ignores-fields', fails: ['errors.unknown-field'] },
]

describe('a node with one fault', () => {
  it.each(broken)('$fault fails $fails and nothing else', async ({ fault, fails, region }) => {
    const card = await cardOf(fault, region)
    expect(failedIds(card)).toStrictEqual(fails)
    expect(card.conforms).toBe(false)
    for (const text of [cardText(card), cardJson(card)]) {
      expect(text).not.toMatch(/eyJ|99999919900101|conformance-nobody/)
      for (const id of RESIDENTS) expect(text).not.toContain(id)
    }
  })
})
