// An enrolment with everything unimportant filled in, and the way from draft to serving.
import { enrolmentPrefix, enrolmentSchema } from '../../gateway/control/intent/enrolments.ts'
import { compareAndSet, type Registry } from '../../gateway/control/registry/port.ts'
import type { Actor, Enrolment, EnrolmentTerms } from '../../gateway/model/enrolment.ts'
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import type { NodeTrust } from '../../gateway/model/node-trust.ts'
import { type Circumstances, newEnrolment, type Step, takeStep } from '../../gateway/policy/enrolment.ts'
import { aRegion } from './values.ts'

export const submitter: Actor = { id: 'op-1', name: '李 Wei' }
export const approver: Actor = { id: 'ap-1', name: '王 Fang' }

export const systemTrust: NodeTrust = { ca: null, pins: [], serverName: null, clientCertificate: null }

const hourMs = 3_600_000

export const someTerms = (changes: Partial<EnrolmentTerms> = {}): EnrolmentTerms => ({
  donor: { code: regionId('610600'), name: { zh: '延安', en: "Yan'an" }, tier: 'city' },
  homes: [regionId('610100')],
  nodes: [{ id: nodeId('yanan-1'), url: 'http://127.0.0.1:9601', weight: 1, limit: 100 }],
  limit: { rps: 200, concurrent: 50 },
  reserve: 0.3,
  hours: null,
  data: { fields: ['testTime', 'testResult'], rpoSeconds: 2 },
  contact: { office: '延安市数据局', phone: '0911-0000000', email: 'duty@yanan.example' },
  validFrom: 0,
  validUntil: 1000 * 24 * hourMs,
  tls: systemTrust,
  ...changes,
})

export const circumstances = (changes: Partial<Circumstances> = {}): Circumstances => ({
  actor: submitter,
  now: 1000,
  hashOf: (terms) => JSON.stringify(terms),
  federation: { regions: [aRegion('610100')], enrolments: [] },
  verificationMaxAgeMs: 24 * hourMs,
  ...changes,
})

export function stepped(enrolment: Enrolment, step: Step, at: Partial<Circumstances> = {}): Enrolment {
  const result = takeStep(enrolment, step, circumstances(at))
  if (!result.ok) throw new Error(result.message.en)
  return result.enrolment
}

export const passed = (terms: EnrolmentTerms, at = 1000, ok = true): Step => ({
  kind: 'verify',
  verification: { passed: ok, termsHash: JSON.stringify(terms), at, reasons: [] },
})

const said = (kind: Exclude<Step['kind'], 'edit' | 'verify'>): Step => ({ kind, reason: 'a test' })

/** One that serves since `now`. */
export function activeEnrolment(
  changes: Partial<EnrolmentTerms> = {},
  now = 1000,
  id = 'e1',
  at: Partial<Circumstances> = {},
): Enrolment {
  const terms = someTerms(changes)
  let enrolment = newEnrolment(terms, submitter, now, id)
  enrolment = stepped(enrolment, said('submit'), { ...at, now })
  enrolment = stepped(enrolment, passed(terms, now), { ...at, now })
  enrolment = stepped(enrolment, said('approve'), { ...at, now, actor: approver })
  return stepped(enrolment, said('activate'), { ...at, now })
}

/** Writes it as it stands, over whatever is there. */
export async function putEnrolment(registry: Registry, enrolment: Enrolment): Promise<void> {
  const key = enrolmentPrefix + enrolment.id
  const version = (await registry.read(key))?.version ?? 0
  const written = await compareAndSet(registry, key, enrolmentSchema.parse(enrolment), version)
  if (!written.ok) throw new Error(`${key} was changed by somebody else`)
}
