// What an operator may write into an enrolment: every field by its own rule, and nothing that must not be kept.
import { readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { enrolmentView, stepInput, termsInput } from '../../gateway/admin/schemas/enrolments.ts'
import { enrolmentSchema, hashOfTerms } from '../../gateway/control/intent/enrolments.ts'
import { stepEnrolment } from '../../gateway/control/enrolment-steps.ts'
import { recordOf } from '../../gateway/control/verification/verify.ts'
import { newEnrolment } from '../../gateway/policy/enrolment.ts'
import { authority } from '../support/authority.ts'
import {
  activeEnrolment,
  approver,
  circumstances,
  passed,
  someTerms,
  stepped,
  submitter,
} from '../support/enrolments.ts'

const least = {
  donor: { code: '610600', name: { zh: '延安', en: "Yan'an" }, tier: 'city' },
  homes: ['610100'],
  nodes: [{ id: 'yanan-1', url: 'https://10.1.2.3:9601' }],
  limit: { rps: 200 },
  data: { fields: ['testTime'] },
  contact: { office: '延安市数据局', phone: '0911-0000000', email: 'duty@yanan.example' },
  validFrom: '2026-01-05T00:00:00+08:00',
  validUntil: '2027-01-05T00:00:00+08:00',
}

describe('the terms', () => {
  it('need only what has no sensible default', () => {
    const terms = termsInput.parse(least)
    expect(terms).toMatchObject({
      nodes: [{ weight: 1, limit: null }],
      limit: { rps: 200, concurrent: null },
      reserve: 0,
      hours: null,
      data: { fields: ['testTime'], rpoSeconds: 2 },
      tls: { ca: null, pins: [], serverName: null, clientCertificate: null },
      validFrom: Date.parse('2026-01-04T16:00:00Z'),
    })
    const draft = newEnrolment(terms, submitter, 1, 'e1')
    expect(enrolmentSchema.parse(draft)).toEqual(draft)
    expect(enrolmentView(draft).terms.validUntil).toBe('2027-01-04T16:00:00.000Z')
  })

  const pinned = { pins: [Buffer.alloc(32, 7).toString('base64')] }
  it.each<[string, object, string]>([
    ['no such region code', { donor: { ...least.donor, code: '61' } }, 'donor.code'],
    ['a home twice', { homes: ['610100', '610100'] }, 'homes'],
    ['no home', { homes: [] }, 'homes'],
    ['no node', { nodes: [] }, 'nodes'],
    ['an address with a password', { nodes: [{ id: 'a', url: 'https://u:p@10.1.2.3' }] }, 'nodes.0.url'],
    ['an address of another kind', { nodes: [{ id: 'a', url: 'file:///etc/passwd' }] }, 'nodes.0.url'],
    [
      'plain HTTP under terms of TLS',
      { nodes: [{ id: 'a', url: 'http://10.1.2.3' }], tls: pinned },
      'nodes.0.url',
    ],
    ['a pin that is none', { tls: { pins: ['sha256'] } }, 'tls.pins.0'],
    ['an authority that is none', { tls: { ca: { pem: 'no certificate' } } }, 'tls.ca.pem'],
    ['a file of this host as authority', { tls: { ca: { file: '/etc/passwd' } } }, 'tls.ca'],
    ['a server name that is an address', { tls: { serverName: '10.1.2.3' } }, 'tls.serverName'],
    ['a certificate by path', { tls: { clientCertificate: '../key' } }, 'tls.clientCertificate'],
    ['hours that are none', { hours: { from: '08:00', until: '08:00' } }, 'hours'],
    ['a time of day that is none', { hours: { from: '24:00', until: '08:00' } }, 'hours.from'],
    ['an end before the start', { validUntil: least.validFrom }, 'validUntil'],
    ['a time without its zone', { validFrom: '2026-01-05T00:00:00' }, 'validFrom'],
    ['a field that can’t be lent', { data: { fields: ['name'] } }, 'data.fields.0'],
    [
      'an ID number in words',
      { contact: { ...least.contact, office: '张三 11010519491231002X' } },
      'contact.office',
    ],
    ['a limit of nothing', { limit: { rps: 0 } }, 'limit.rps'],
    ['a reserve above all', { reserve: 1.1 }, 'reserve'],
    ['a field that is none', { limits: {} }, ''],
  ])('refuse %s', (_, changes, path) => {
    const { error } = termsInput.safeParse({ ...least, ...changes })
    expect(error?.issues.map((issue) => issue.path.join('.'))).toContain(path)
  })

  it('take an authority, but no private key beside it', async () => {
    await using ca = await authority()
    const pem = await readFile(ca.certFile, 'utf8')
    const { key } = await ca.issue('DNS:a.example')
    expect(termsInput.safeParse({ ...least, tls: { ca: { pem } } }).success).toBe(true)
    expect(termsInput.safeParse({ ...least, tls: { ca: { pem: pem + key.toString() } } }).success).toBe(false)
    expect(
      termsInput.safeParse({ ...least, tls: { ca: { pem: pem.replace(/[A-Z]{3}/, '!!!') } } }).success,
    ).toBe(false)
  })
})

it('a step needs its reason', () => {
  expect(
    [{}, { reason: ' ' }, { reason: '为 11010519491231002X' }, { reason: 'x'.repeat(2001) }].map(
      (body) => stepInput.safeParse(body).success,
    ),
  ).toEqual([false, false, false, false])
  expect(stepInput.parse({ reason: ' 演练 ' })).toEqual({ reason: '演练' })
})

it('the registry keeps an enrolment of every state as it was, and refuses what is none', () => {
  const draft = newEnrolment(someTerms(), submitter, 1, 'e1')
  const submitted = stepped(draft, { kind: 'submit', reason: 'x' })
  const verified = stepped(submitted, passed(someTerms()))
  const active = activeEnrolment()
  const suspended = stepped(active, { kind: 'suspend', reason: 'x' })
  for (const enrolment of [draft, submitted, verified, active, suspended]) {
    expect(enrolmentSchema.parse(JSON.parse(JSON.stringify(enrolment)))).toEqual(enrolment)
  }
  expect(enrolmentSchema.safeParse({ ...draft, state: 'approved?' }).success).toBe(false)
})

it('the hash of the terms is the same in any order of fields, and another for any change', () => {
  const turned = (value: unknown): unknown =>
    typeof value !== 'object' || value === null || Array.isArray(value)
      ? value
      : Object.fromEntries(
          Object.entries(value)
            .reverse()
            .map(([key, inner]) => [key, turned(inner)]),
        )
  const terms = termsInput.parse(least)
  expect(hashOfTerms(termsInput.parse(turned(least)))).toBe(hashOfTerms(terms))
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e6 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (rps, reserve) => {
        const changed = { ...terms, reserve, limit: { rps, concurrent: null } }
        const same = rps === terms.limit.rps && reserve === terms.reserve
        expect(hashOfTerms(changed) === hashOfTerms(terms)).toBe(same)
      },
    ),
  )
})

it('a step is taken with the hash of the terms and the configured age', () => {
  const { federation } = circumstances()
  const at = {
    actor: submitter,
    now: 1000,
    federation,
    config: {
      enrolment: {
        rampMs: 0,
        drainMs: 0,
        verificationMaxAgeMs: 60_000,
        testResident: 'R{home}-000001',
        verificationRampMs: 1000,
        verificationRps: 10,
        networks: [],
      },
    },
  }
  const terms = termsInput.parse(least)
  const submitted = stepEnrolment(
    newEnrolment(terms, submitter, 1, 'e1'),
    { kind: 'submit', reason: 'x' },
    at,
  )
  if (!submitted.ok) throw new Error(submitted.message.en)
  const verification = { passed: true, termsHash: hashOfTerms(terms), at: 1000, reasons: [] }
  const verified = stepEnrolment(submitted.enrolment, { kind: 'verify', verification }, at)
  if (!verified.ok) throw new Error(verified.message.en)
  const approve = (now: number) =>
    stepEnrolment(verified.enrolment, { kind: 'approve', reason: 'x' }, { ...at, now, actor: approver })
  expect(approve(61_000).ok).toBe(true)
  expect(approve(61_001)).toMatchObject({ ok: false, code: 'verification-stale' })
})

it('what a long verification says fits into the registry, where an unreadable record would hold up all', () => {
  const terms = termsInput.parse(least)
  const draft = newEnrolment(terms, submitter, 1, 'e1')
  const text = { zh: '错'.repeat(5000), en: 'wrong'.repeat(1000) }
  const report = {
    enrolment: 'e1',
    termsHash: JSON.stringify(terms),
    startedAt: 1,
    endedAt: 2,
    verdict: 'failed',
    reasons: Array.from({ length: 3000 }, () => text),
    checks: [],
  } as const
  const verification = recordOf(report)
  if (verification === null) throw new Error('a failed verification is kept')
  let enrolment = stepped(draft, { kind: 'submit', reason: 'x' })
  for (let i = 0; i < 150; i++) enrolment = stepped(enrolment, { kind: 'verify', verification })
  expect(enrolmentSchema.parse(enrolment)).toEqual(enrolment)
  expect(enrolment.history).toHaveLength(100)
})
