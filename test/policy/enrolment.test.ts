// Nobody serves residents who was not submitted, verified and approved by somebody else, whatever the order of steps.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type Enrolment, enrolmentStates, stepKinds } from '../../gateway/model/enrolment.ts'
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import { isPin } from '../../gateway/model/node-trust.ts'
import {
  isSamePerson,
  legalSteps,
  newEnrolment,
  type Step,
  takeStep,
} from '../../gateway/policy/enrolment.ts'
import { expiryWarning, nextWarningAt } from '../../gateway/policy/expiry.ts'
import { placeInHours } from '../../gateway/policy/hours.ts'
import {
  activeEnrolment,
  approver,
  circumstances,
  passed,
  someTerms,
  stepped,
  submitter,
} from '../support/enrolments.ts'
import { aNode, aRegion } from '../support/values.ts'

const terms = someTerms()
const hourMs = 3_600_000
const dayMs = 24 * hourMs
const said = (kind: Exclude<Step['kind'], 'edit' | 'verify'>): Step => ({ kind, reason: 'a test' })
const draft = newEnrolment(terms, submitter, 1000, 'e1')
const submitted = stepped(draft, said('submit'))
const verified = stepped(submitted, passed(terms))
const approved = stepped(verified, said('approve'), { actor: approver })
const active = stepped(approved, said('activate'))
const suspended = stepped(active, said('suspend'), { now: 5000 })

const people = [submitter, approver, { id: 'op-2', name: submitter.name }] as const
const someStep: fc.Arbitrary<Step> = fc.oneof(
  fc.constantFrom(...stepKinds.filter((kind) => kind !== 'edit' && kind !== 'verify')).map(said),
  fc.constantFrom(100, 200).map((rps): Step => ({
    kind: 'edit',
    terms: someTerms({ limit: { rps, concurrent: null } }),
  })),
  fc
    .tuple(fc.constantFrom(100, 200), fc.boolean())
    .map(([rps, ok]) => passed(someTerms({ limit: { rps, concurrent: null } }), 1000, ok)),
  fc.boolean().map((ok) => passed(terms, 1000, ok)),
)

/** Towards serving, so that walks get there; or any. */
const walk = fc.array(
  fc.tuple(fc.oneof({ arbitrary: fc.constant(null), weight: 3 }, someStep), fc.constantFrom(...people)),
  { maxLength: 40 },
)

function onward({ state, terms }: Enrolment): Step {
  if (state === 'submitted') return passed(terms)
  return said(state === 'draft' ? 'submit' : state === 'verified' ? 'approve' : 'activate')
}

/** Steps that were granted since the terms were last touched, with who took them. */
function sinceLastDraft({ history }: Enrolment) {
  const start = history.findLastIndex(({ to }) => to === 'draft')
  return history.slice(start + 1)
}

it('serves only what was submitted, then verified, then approved by another person, and not touched since', () => {
  let served = 0
  fc.assert(
    fc.property(walk, (steps) => {
      let enrolment = draft
      for (const [step, actor] of steps) {
        const at = circumstances({ actor })
        const result = takeStep(enrolment, step ?? onward(enrolment), at)
        if (!result.ok) continue
        enrolment = result.enrolment
        if (enrolment.state !== 'active') continue
        served += 1
        const taken = sinceLastDraft(enrolment)
        const submit = taken.findIndex(({ step }) => step === 'submit')
        const verify = taken.findIndex(({ step, to }) => step === 'verify' && to === 'verified')
        const approve = taken.findIndex(({ step }) => step === 'approve')
        expect(submit).toBe(0)
        expect(verify).toBeGreaterThan(submit)
        expect(approve).toBeGreaterThan(verify)
        const [by, from] = [taken[approve]?.by, taken[submit]?.by]
        expect(by !== undefined && from !== undefined && !isSamePerson(by, from)).toBe(true)
        expect(enrolment.verification?.termsHash).toBe(at.hashOf(enrolment.terms))
        expect(enrolment.approval?.termsHash).toBe(at.hashOf(enrolment.terms))
      }
    }),
    { numRuns: 1000 },
  )
  expect(served).toBeGreaterThan(10)
})

it('serves exactly while it is active, and never again once withdrawn', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(someStep, fc.constantFrom(...people)), { maxLength: 30 }), (steps) => {
      let enrolment = active
      for (const [step, actor] of steps) {
        const before = enrolment
        const result = takeStep(enrolment, step, circumstances({ actor }))
        if (result.ok) ({ enrolment } = result)
        if (before.state === 'withdrawn') expect(result.ok).toBe(false)
        expect(enrolment.servingSince !== null).toBe(enrolment.state === 'active')
        expect(enrolment.servedUntil !== null).toBe(enrolment.state !== 'active')
        expect(legalSteps(before.state).includes(step.kind) || !result.ok).toBe(true)
      }
    }),
  )
})

it.each(enrolmentStates)('refuses in %s every step that it does not name as legal', (state) => {
  const enrolment = { ...verified, state }
  const steps: Step[] = [
    ...stepKinds.filter((kind) => kind !== 'edit' && kind !== 'verify').map(said),
    { kind: 'edit', terms },
    passed(terms),
  ]
  for (const step of steps.filter(({ kind }) => !legalSteps(state).includes(kind))) {
    expect(takeStep(enrolment, step, circumstances())).toMatchObject({
      ok: false,
      code: 'illegal-step',
      legal: legalSteps(state),
    })
  }
})

describe('approval', () => {
  it.each([
    ['the same account', submitter],
    ['another account of the same person', { id: 'ap-9', name: submitter.name }],
    ['the name in other letters', { id: 'ap-9', name: '李 ＷＥＩ ' }],
  ])('is refused to %s', (_, actor) => {
    expect(takeStep(verified, said('approve'), circumstances({ actor }))).toMatchObject({
      code: 'same-person',
    })
  })

  it('needs a verification of the last day', () => {
    const at = { actor: approver, now: 1000 + 24 * hourMs }
    expect(takeStep(verified, said('approve'), circumstances(at)).ok).toBe(true)
    expect(takeStep(verified, said('approve'), circumstances({ ...at, now: at.now + 1 }))).toMatchObject({
      code: 'verification-stale',
      message: { en: 'the verification is 24 h old, at most 24 h count; verify again' },
    })
  })

  it('is not of terms that changed behind the verification', () => {
    const changed = { ...verified, terms: someTerms({ reserve: 0.9 }) }
    expect(takeStep(changed, said('approve'), circumstances({ actor: approver }))).toMatchObject({
      code: 'terms-changed',
    })
    expect(takeStep({ ...approved, terms: changed.terms }, said('activate'), circumstances())).toMatchObject({
      code: 'terms-changed',
    })
  })

  it('is lost when a later verification fails', () => {
    const failed = stepped(verified, passed(terms, 2000, false))
    expect(failed.state).toBe('submitted')
    expect(takeStep(failed, said('approve'), circumstances({ actor: approver }))).toMatchObject({
      code: 'illegal-step',
    })
  })
})

it('takes no verification of other terms', () => {
  expect(takeStep(submitted, passed(someTerms({ reserve: 0 })), circumstances())).toMatchObject({
    code: 'terms-changed',
  })
})

it('makes a draft of what is edited or returned, and forgets its verification', () => {
  for (const step of [{ kind: 'edit', terms: someTerms({ reserve: 0.1 }) } as const, said('return')]) {
    expect(stepped(verified, step)).toMatchObject({
      state: 'draft',
      verification: null,
      approval: null,
      submittedBy: null,
    })
  }
})

it('remembers when it ceased to serve through suspension and withdrawal, and begins anew when resumed', () => {
  expect(suspended.servedUntil).toBe(5000)
  expect(stepped(suspended, said('withdraw'), { now: 9000 }).servedUntil).toBe(5000)
  expect(stepped(active, said('withdraw'), { now: 9000 }).servedUntil).toBe(9000)
  expect(stepped(suspended, said('resume'), { now: 9000 })).toMatchObject({
    servingSince: 9000,
    servedUntil: null,
  })
})

it.each([
  ['submit', draft],
  ['approve', verified],
  ['activate', approved],
  ['resume', suspended],
] as const)('refuses to %s what has ended', (kind, enrolment) => {
  const now = terms.validUntil
  const at = circumstances({ now, actor: approver, verificationMaxAgeMs: Infinity })
  expect(takeStep(enrolment, said(kind), at)).toMatchObject({ code: 'expired' })
})

describe('conflicts', () => {
  const listed = aRegion('610600', { nodes: [aNode('yanan-1', { origin: 'http://127.0.0.1:9600' })] })
  const elsewhere = aRegion('610400', { nodes: [aNode('other', { origin: 'http://127.0.0.1:9601' })] })
  const home = aRegion('610100')
  const other = activeEnrolment({}, 1000, 'e2')
  it.each([
    ['a node id of the file', { regions: [home, listed], enrolments: [] }, 'nodes.0.id'],
    ['an address of the file', { regions: [home, elsewhere], enrolments: [] }, 'address of other'],
    ['another enrolment’s node', { regions: [home], enrolments: [other] }, 'taken by enrolment e2'],
    ['a home that is not listed', { regions: [], enrolments: [] }, '610100 is not listed'],
    [
      'another tier than the file',
      { regions: [home, aRegion('610600', { tier: 'province', nodes: [] })], enrolments: [] },
      'lists 610600 as province',
    ],
  ])('refuse the submission of %s', (_, federation, said_) => {
    const result = takeStep(draft, said('submit'), circumstances({ federation }))
    const text = result.ok ? '' : result.message.en
    expect(result).toMatchObject({ ok: false, code: 'conflict' })
    expect(text).toContain(said_ === 'nodes.0.id' ? 'yanan-1 is taken by the configuration file' : said_)
  })

  it.each([
    ['itself', { ...other, id: 'e1' }],
    ['a draft', { ...other, state: 'draft' } as const],
    ['a withdrawn one', { ...other, state: 'withdrawn' } as const],
  ])('are none with %s', (_, beside) => {
    const federation = { regions: [home], enrolments: [beside] }
    expect(takeStep(draft, said('submit'), circumstances({ federation })).ok).toBe(true)
  })

  it('refuse its own node twice and itself as home', () => {
    const twice = someTerms({
      homes: [regionId('610600')],
      nodes: [
        { id: nodeId('a'), url: 'http://127.0.0.1:9601/', weight: 1, limit: null },
        { id: nodeId('a'), url: 'http://127.0.0.1:9601', weight: 1, limit: null },
      ],
    })
    const result = takeStep(newEnrolment(twice, submitter, 1, 'x'), said('submit'), circumstances())
    const text = result.ok ? '' : result.message.en
    for (const part of ['be its own donor', 'node id a is taken', 'is the address of a already']) {
      expect(text).toContain(part)
    }
  })
})

describe('expiry', () => {
  const end = terms.validUntil
  it.each([
    [end - 30 * dayMs - 1, null],
    [end - 30 * dayMs, 30],
    [end - 7 * dayMs - 1, 30],
    [end - 7 * dayMs, 7],
    [end - dayMs, 1],
    [end - 1, 1],
    [end, 0],
  ])('at %d warns of %p', (now, days) => {
    expect(expiryWarning(active, now)?.days ?? null).toBe(days)
    const next = nextWarningAt(active, now)
    expect(next === null ? 0 : next).toBe(
      [end - 30 * dayMs, end - 7 * dayMs, end - dayMs, end].find((at) => at > now) ?? 0,
    )
  })

  it('warns nobody of what does not serve', () => {
    expect([draft, { ...active, state: 'withdrawn' } as const].map((one) => expiryWarning(one, end))).toEqual(
      [null, null],
    )
  })
})

describe('hours', () => {
  const at = (text: string): number => Date.parse(`2026-01-05T${text}:00+08:00`)
  const night = { from: '22:00', until: '06:00' }
  const day = { from: '08:30', until: '17:00' }
  it.each([
    [day, '08:29', false, '08:30'],
    [day, '08:30', true, '17:00'],
    [day, '16:59', true, '17:00'],
    [day, '17:00', false, null],
    [night, '21:59', false, '22:00'],
    [night, '05:59', true, '06:00'],
    [night, '06:00', false, '22:00'],
  ])('%p at %s', (hours, time, open, changes) => {
    const place = placeInHours(hours, at(time))
    expect([place.open, place.changesAt]).toEqual([
      open,
      changes === null ? at('08:30') + dayMs : at(changes),
    ])
  })

  it('know over midnight when they closed and when they change, and keep their word', () => {
    expect(placeInHours(night, at('23:00'))).toEqual({
      open: true,
      changesAt: at('06:00') + dayMs,
      closedAt: null,
    })
    expect(placeInHours(day, at('02:00')).closedAt).toBe(at('17:00') - dayMs)
    const time = fc
      .integer({ min: 0, max: 1439 })
      .map((m) => `${String(Math.floor(m / 60)).padStart(2, '0')}:${String(m % 60).padStart(2, '0')}`)
    fc.assert(
      fc.property(time, time, fc.integer({ min: 0, max: 4e12 }), (from, until, now) => {
        fc.pre(from !== until)
        const here = placeInHours({ from, until }, now)
        const changesAt = here.changesAt ?? 0
        expect(changesAt).toBeGreaterThan(now)
        expect(placeInHours({ from, until }, changesAt - 1).open).toBe(here.open)
        expect(placeInHours({ from, until }, changesAt).open).toBe(!here.open)
        if (!here.open) expect(placeInHours({ from, until }, here.closedAt ?? 0).open).toBe(false)
        if (!here.open) expect(placeInHours({ from, until }, (here.closedAt ?? 0) - 1).open).toBe(true)
      }),
    )
  })
})

it('knows a SHA-256 in base64 from anything else', () => {
  const right = Buffer.alloc(32, 7).toString('base64')
  expect([right, `${right}=`, right.slice(1), 'x', Buffer.alloc(31).toString('base64')].map(isPin)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ])
})
