// The life of a drill: which step may follow which, and who may take it.
import type { Drill, DrillEnding, DrillRun, DrillState, Person } from '../model/drill.ts'

/**
 * - `preview`: somebody has seen what it would do;
 * - `approve`, `refuse`: another person's word;
 * - `schedule`: it shall begin by its schedule;
 * - `start`: its leases are written;
 * - `end`: its fault is off;
 * - `restored`: nobody is in it any more, and its report is written;
 * - `abandon`: given up before it began.
 */
export type DrillStep =
  | { readonly kind: 'preview' | 'approve' | 'refuse' | 'abandon'; readonly by: Person }
  | { readonly kind: 'schedule'; readonly by: Person; readonly nextAt: number }
  /** Of its schedule's window nothing came; it waits for the next. */
  | { readonly kind: 'postpone'; readonly nextAt: number }
  | { readonly kind: 'start'; readonly run: Pick<DrillRun, 'startedAt' | 'faultAt' | 'endsAt' | 'overruled'> }
  | { readonly kind: 'end'; readonly ending: DrillEnding; readonly detail: string }
  | { readonly kind: 'restored' }
export type DrillStepKind = DrillStep['kind']

const from: Readonly<Record<DrillStepKind, readonly DrillState[]>> = {
  preview: ['draft', 'previewed'],
  approve: ['previewed'],
  refuse: ['previewed', 'approved', 'scheduled'],
  schedule: ['previewed', 'approved'],
  postpone: ['scheduled'],
  start: ['previewed', 'approved', 'scheduled'],
  end: ['running'],
  restored: ['restoring'],
  abandon: ['draft', 'previewed', 'approved', 'scheduled'],
}

export const drillStepKinds = Object.keys(from).filter((kind): kind is DrillStepKind => kind in from)

/**
 * Why a step is not to be taken: it does not follow the `state`; an `approval` is wanted first; whoever asked for a drill
 * can't approve it (`own`); it has no `schedule`.
 */
export type StepProblem = 'state' | 'approval' | 'own' | 'schedule'

export type StepResult =
  | { readonly ok: true; readonly drill: Drill }
  | { readonly ok: false; readonly problem: StepProblem; readonly legal: readonly DrillStepKind[] }

/** Steps that may follow now. @param needsApproval See {@link needsApproval} in drill-guards. */
export const legalSteps = (drill: Drill, needsApproval: boolean): DrillStepKind[] =>
  drillStepKinds.filter((kind) => problemOf(drill, kind, needsApproval) === null)

/**
 * @param at Wall-clock milliseconds since 1970.
 * @param needsApproval Whether it may begin only after another person's approval.
 */
export function takeStep(drill: Drill, step: DrillStep, at: number, needsApproval: boolean): StepResult {
  const problem = problemOf(drill, step.kind, needsApproval) ?? problemOfPerson(drill, step)
  if (problem !== null) return { ok: false, problem, legal: legalSteps(drill, needsApproval) }
  return { ok: true, drill: { ...taken(drill, step, at), changedAt: at } }
}

function problemOf(drill: Drill, kind: DrillStepKind, needsApproval: boolean): StepProblem | null {
  if (!from[kind].includes(drill.state)) return 'state'
  if (kind === 'schedule' && drill.schedule === null) return 'schedule'
  const begins = kind === 'start' || kind === 'schedule'
  return begins && needsApproval && drill.approver === null ? 'approval' : null
}

/** One person may have several tokens, so names are compared too. */
const problemOfPerson = ({ owner }: Drill, step: DrillStep): StepProblem | null =>
  step.kind === 'approve' && (step.by.id === owner.id || step.by.name === owner.name) ? 'own' : null

function taken(drill: Drill, step: DrillStep, at: number): Drill {
  switch (step.kind) {
    case 'preview':
      return { ...drill, state: 'previewed' }
    case 'approve':
      return { ...drill, state: 'approved', approver: step.by }
    case 'refuse':
      return { ...drill, state: 'refused', approver: step.by, nextAt: null }
    case 'schedule':
      return { ...drill, state: 'scheduled', nextAt: step.nextAt }
    case 'postpone':
      return { ...drill, nextAt: step.nextAt }
    case 'start':
      return {
        ...drill,
        state: 'running',
        nextAt: null,
        run: { ...step.run, endedAt: null, ending: null, detail: '' },
      }
    case 'end':
      return { ...drill, state: 'restoring', run: endedRun(drill, step, at) }
    case 'restored':
      return { ...drill, state: drill.run?.ending === 'time' ? 'reported' : 'aborted' }
    case 'abandon':
      return { ...drill, state: 'aborted', nextAt: null }
  }
}

const endedRun = (
  { run }: Drill,
  { ending, detail }: Extract<DrillStep, { kind: 'end' }>,
  at: number,
): DrillRun | null => (run === null ? null : { ...run, endedAt: at, ending, detail })
