// The life of an enrolment: each step a function of what stands, who acts and when; each "no" says what is legal.
import type {
  Actor,
  Enrolment,
  EnrolmentState,
  EnrolmentTerms,
  HistoryEntry,
  StepKind,
  VerificationRecord,
} from '../model/enrolment.ts'
import { stepKinds } from '../model/enrolment.ts'
import { conflicts, type Federation } from './enrolment-conflicts.ts'

export type Step =
  | { readonly kind: 'edit'; readonly terms: EnrolmentTerms }
  | { readonly kind: 'verify'; readonly verification: VerificationRecord }
  | { readonly kind: Exclude<StepKind, 'edit' | 'verify'>; readonly reason: string }

export interface Circumstances {
  readonly actor: Actor
  /** Wall-clock milliseconds since 1970. */
  readonly now: number
  /** SHA-256 of the terms in one canonical form: two that differ have different ones. */
  hashOf(terms: EnrolmentTerms): string
  /** What it must not collide with. */
  readonly federation: Federation
  /** Age above which a verification no longer counts, ms. */
  readonly verificationMaxAgeMs: number
}

export type RefusalCode =
  | 'illegal-step'
  | 'same-person'
  | 'conflict'
  | 'terms-changed'
  | 'verification-missing'
  | 'verification-stale'
  | 'expired'

export interface Refusal {
  readonly ok: false
  readonly code: RefusalCode
  readonly message: { readonly zh: string; readonly en: string }
  /** Steps that its state allows. */
  readonly legal: readonly StepKind[]
}

export type StepResult = { readonly ok: true; readonly enrolment: Enrolment } | Refusal

/** States in which each step may be taken. A verification may be repeated; what is being served is not edited. */
const allowedIn: Readonly<Record<StepKind, readonly EnrolmentState[]>> = {
  edit: ['draft', 'submitted', 'verified'],
  submit: ['draft'],
  verify: ['submitted', 'verified'],
  return: ['submitted', 'verified', 'approved'],
  approve: ['verified'],
  activate: ['approved'],
  suspend: ['active'],
  resume: ['suspended'],
  withdraw: ['draft', 'submitted', 'verified', 'approved', 'active', 'suspended'],
}

/** Steps kept with an enrolment. */
const historyAtMost = 100

/** Letters of a verification's reasons that its step tells; the verification has all. */
const reasonAtMost = 2000

export const legalSteps = (state: EnrolmentState): StepKind[] =>
  stepKinds.filter((kind) => allowedIn[kind].includes(state))

export function newEnrolment(terms: EnrolmentTerms, actor: Actor, now: number, id: string): Enrolment {
  return {
    id,
    state: 'draft',
    terms,
    createdAt: now,
    submittedBy: null,
    verification: null,
    approval: null,
    servingSince: null,
    servedUntil: null,
    history: [{ step: 'create', from: null, to: 'draft', by: actor, at: now, reason: null }],
  }
}

/** The enrolment after `step`, or why it can't be taken. Whether the actor's role allows it is asked elsewhere. */
export function takeStep(enrolment: Enrolment, step: Step, at: Circumstances): StepResult {
  const { state } = enrolment
  if (!allowedIn[step.kind].includes(state)) {
    return refused(enrolment, 'illegal-step', {
      zh: `状态为 ${state} 的登记不能执行 ${step.kind}`,
      en: `${step.kind} is not possible while the enrolment is ${state}`,
    })
  }
  switch (step.kind) {
    case 'edit':
      return done(enrolment, step.kind, at, null, { ...asDraft, terms: step.terms })
    case 'verify':
      return verify(enrolment, step.verification, at)
    case 'submit':
      return (
        expired(enrolment, at) ??
        conflicting(enrolment, at) ??
        done(enrolment, step.kind, at, step.reason, { state: 'submitted', submittedBy: at.actor })
      )
    case 'return':
      return done(enrolment, step.kind, at, step.reason, asDraft)
    case 'approve':
      return approve(enrolment, step.reason, at)
    case 'activate':
    case 'resume':
      return (
        expired(enrolment, at) ??
        approvedOtherTerms(enrolment, at) ??
        conflicting(enrolment, at) ??
        done(enrolment, step.kind, at, step.reason, {
          state: 'active',
          servingSince: at.now,
          servedUntil: null,
        })
      )
    case 'suspend':
    case 'withdraw':
      return done(enrolment, step.kind, at, step.reason, {
        state: step.kind === 'suspend' ? 'suspended' : 'withdrawn',
        ...(enrolment.state === 'active' && { servingSince: null, servedUntil: at.now }),
      })
  }
}

/** What was verified or approved of other terms, or of the same before somebody had doubts, counts no longer. */
const asDraft = { state: 'draft', submittedBy: null, verification: null, approval: null } as const

function verify(enrolment: Enrolment, verification: VerificationRecord, at: Circumstances): StepResult {
  if (verification.termsHash !== at.hashOf(enrolment.terms)) return otherTerms(enrolment)
  const state = verification.passed ? 'verified' : 'submitted'
  const reason = verification.reasons.join('\n').slice(0, reasonAtMost)
  return done(enrolment, 'verify', at, reason, { state, verification })
}

function approve(enrolment: Enrolment, reason: string, at: Circumstances): StepResult {
  const { submittedBy, terms, verification } = enrolment
  if (submittedBy === null || isSamePerson(submittedBy, at.actor)) {
    return refused(enrolment, 'same-person', {
      zh: '提交人不能审批自己的登记；请由另一人审批',
      en: 'who submitted it can’t approve it; another person must',
    })
  }
  if (verification === null || !verification.passed) {
    return refused(enrolment, 'verification-missing', {
      zh: '尚无通过的核验；请先核验',
      en: 'no verification has passed; verify it first',
    })
  }
  const termsHash = at.hashOf(terms)
  if (verification.termsHash !== termsHash) return otherTerms(enrolment)
  const ageMs = at.now - verification.at
  if (ageMs > at.verificationMaxAgeMs) {
    const hours = (ms: number): string => String(Math.floor(ms / 360_000) / 10)
    return refused(enrolment, 'verification-stale', {
      zh: `核验已过 ${hours(ageMs)} 小时，最长 ${hours(at.verificationMaxAgeMs)} 小时；请重新核验`,
      en: `the verification is ${hours(ageMs)} h old, at most ${hours(at.verificationMaxAgeMs)} h count; verify again`,
    })
  }
  return (
    expired(enrolment, at) ??
    done(enrolment, 'approve', at, reason, {
      state: 'approved',
      approval: { by: at.actor, at: at.now, termsHash },
    })
  )
}

/** By account or by person: letter case, width and spaces do not make another one. */
export function isSamePerson(a: Actor, b: Actor): boolean {
  const plain = (name: string): string => name.normalize('NFKC').toLowerCase().replaceAll(/\s+/g, '')
  return a.id === b.id || plain(a.name) === plain(b.name)
}

function expired(enrolment: Enrolment, { now }: Circumstances): Refusal | null {
  if (now < enrolment.terms.validUntil) return null
  return refused(enrolment, 'expired', {
    zh: '有效期已过；请新建登记',
    en: 'its validity has ended; make a new enrolment',
  })
}

function approvedOtherTerms(enrolment: Enrolment, at: Circumstances): Refusal | null {
  return enrolment.approval?.termsHash === at.hashOf(enrolment.terms) ? null : otherTerms(enrolment)
}

function conflicting(enrolment: Enrolment, { federation }: Circumstances): Refusal | null {
  const found = conflicts(enrolment, federation)
  if (found.length === 0) return null
  return refused(enrolment, 'conflict', {
    zh: found.map(({ message }) => message.zh).join('；'),
    en: found.map(({ message }) => message.en).join('; '),
  })
}

const otherTerms = (enrolment: Enrolment): Refusal =>
  refused(enrolment, 'terms-changed', {
    zh: '内容与核验或审批时不同；请退回草稿、重新提交并核验',
    en: 'its terms are not those that were verified or approved; return it, submit it and verify it anew',
  })

const refused = ({ state }: Enrolment, code: RefusalCode, message: Refusal['message']): Refusal => ({
  ok: false,
  code,
  message,
  legal: legalSteps(state),
})

function done(
  enrolment: Enrolment,
  step: StepKind,
  { actor, now }: Circumstances,
  reason: string | null,
  change: Partial<Enrolment> & Pick<Enrolment, 'state'>,
): StepResult {
  const entry: HistoryEntry = { step, from: enrolment.state, to: change.state, by: actor, at: now, reason }
  const history = [...enrolment.history, entry].slice(-historyAtMost)
  return { ok: true, enrolment: { ...enrolment, ...change, history } }
}
