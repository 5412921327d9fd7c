// What a resident's page decides to show: never a better colour than what was heard last, and never an ended code.
import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import type { CodeAnswer } from '../../region-node/pages/browser/code-answer.ts'
import { needsCredential, nextAskMs, shownCode } from '../../region-node/pages/browser/shown-code.ts'

const nowMs = Date.UTC(2026, 0, 5, 1)
const day = 86_400_000

const anAnswer = (changes: Partial<CodeAnswer> = {}): CodeAnswer => ({
  code: 'a.b.c',
  status: 'green',
  divisionCode: '610100',
  issuer: '610100',
  issuedAt: nowMs - 10_000,
  validUntil: nowMs + 110_000,
  updatedAt: nowMs - day,
  testTime: null,
  testResult: null,
  freshness: 'live',
  ...changes,
})
const aCredential = (changes: Partial<CodeAnswer> = {}): CodeAnswer =>
  anAnswer({ code: 'carried', validUntil: nowMs + day - 10_000, ...changes })
const ended = anAnswer({ validUntil: nowMs })

const severity = { green: 0, yellow: 1, red: 2 }
const anyAnswer = fc
  .record({
    status: fc.constantFrom('green' as const, 'yellow' as const, 'red' as const),
    issuedAt: fc.integer({ min: nowMs - 2 * day, max: nowMs }),
    life: fc.integer({ min: 60_000, max: day }),
    freshness: fc.constantFrom('live' as const, 'replica' as const, 'stale' as const),
  })
  .map(({ life, ...rest }) =>
    anAnswer({ ...rest, validUntil: rest.issuedAt + life, updatedAt: rest.issuedAt }),
  )

describe('what is shown', () => {
  it.each([
    { name: 'the code from home', display: anAnswer(), carried: null, lastGood: false, source: 'home' },
    {
      name: 'the code from one that stands in',
      display: anAnswer({ issuer: '610400', freshness: 'replica' }),
      carried: null,
      lastGood: false,
      source: 'support',
    },
    {
      name: 'the code from home, also from its copy',
      display: anAnswer({ freshness: 'stale' }),
      carried: null,
      lastGood: false,
      source: 'home',
    },
    { name: 'the last good answer', display: anAnswer(), carried: null, lastGood: true, source: 'kept' },
    { name: 'the credential', display: ended, carried: aCredential(), lastGood: false, source: 'carried' },
    { name: 'no ended code', display: ended, carried: null, lastGood: false, source: 'none' },
    {
      name: 'no greener credential than the last code',
      display: anAnswer({ validUntil: nowMs, status: 'red' }),
      carried: aCredential(),
      lastGood: false,
      source: 'none',
    },
  ])('is $name', ({ display, carried, lastGood, source }) => {
    expect(shownCode({ display, carried, lastGood }, nowMs).source).toBe(source)
  })

  it('is never ended, and never better than the newest that was heard', () => {
    fc.assert(
      fc.property(fc.option(anyAnswer), fc.option(anyAnswer), fc.boolean(), (display, carried, lastGood) => {
        const { code } = shownCode({ display, carried, lastGood }, nowMs)
        if (code === null) return
        expect(code.validUntil).toBeGreaterThan(nowMs)
        if (display === null || code.updatedAt > display.updatedAt) return
        expect(severity[code.status]).toBeGreaterThanOrEqual(severity[display.status])
      }),
    )
  })
})

it.each([
  { name: 'there is none', display: anAnswer(), carried: null, needed: true },
  { name: 'it is fresh', display: anAnswer(), carried: aCredential(), needed: false },
  { name: 'it is half spent', display: null, carried: aCredential({ issuedAt: nowMs - day }), needed: true },
  { name: 'it is greener', display: anAnswer({ status: 'yellow' }), carried: aCredential(), needed: true },
])('a new credential is asked for when $name: $needed', ({ display, carried, needed }) => {
  expect(needsCredential({ display, carried, lastGood: false }, nowMs)).toBe(needed)
})

it('asks again in the middle of a code’s life, and less and less often after failures', () => {
  const shown = shownCode({ display: anAnswer(), carried: null, lastGood: false }, nowMs)
  expect(nextAskMs(shown, 0, nowMs, 0.5)).toBe(50_000)
  expect([1, 2, 3, 9].map((failures) => nextAskMs(shown, failures, nowMs, 0.5))).toEqual([
    4_000, 8_000, 16_000, 60_000,
  ])
})
