// A drill's life: every step from the states it may follow, another person's approval, and an end whatever happens.
import { describe, expect, it } from '@jest/globals'
import fc from 'fast-check'
import { drillStates, type DrillState } from '../../gateway/model/drill.ts'
import { type DrillStep, drillStepKinds, legalSteps, takeStep } from '../../gateway/policy/drill.ts'
import { aDrill } from '../support/drills.ts'

const li = { id: 'o1', name: 'Li' }
const wang = { id: 'a1', name: 'Wang' }
const steps: Readonly<Record<string, DrillStep>> = {
  preview: { kind: 'preview', by: li },
  approve: { kind: 'approve', by: wang },
  refuse: { kind: 'refuse', by: wang },
  schedule: { kind: 'schedule', by: li, nextAt: 9 },
  postpone: { kind: 'postpone', nextAt: 10 },
  start: { kind: 'start', run: { startedAt: 5, faultAt: 6, endsAt: 7, overruled: [] } },
  end: { kind: 'end', ending: 'time', detail: '' },
  restored: { kind: 'restored' },
  abandon: { kind: 'abandon', by: li },
}
const weekly = { kind: 'weekly', windows: [{ weekday: 1, from: 0, to: 60 }], blocked: [] } as const

it.each<{ state: DrillState; legal: string[] }>([
  { state: 'draft', legal: ['preview', 'abandon'] },
  { state: 'previewed', legal: ['preview', 'approve', 'refuse', 'schedule', 'start', 'abandon'] },
  { state: 'approved', legal: ['refuse', 'schedule', 'start', 'abandon'] },
  { state: 'scheduled', legal: ['refuse', 'postpone', 'start', 'abandon'] },
  { state: 'running', legal: ['end'] },
  { state: 'restoring', legal: ['restored'] },
  { state: 'reported', legal: [] },
  { state: 'refused', legal: [] },
  { state: 'aborted', legal: [] },
])('$state may be followed by $legal and by nothing else', ({ state, legal }) => {
  const drill = aDrill({ state, schedule: weekly })
  expect(legalSteps(drill, false)).toEqual(legal)
  for (const kind of drillStepKinds) {
    const step = steps[kind]
    if (step === undefined) throw new Error(`no example of ${kind}`)
    const result = takeStep(drill, step, 2, false)
    expect(result.ok).toBe(legal.includes(kind))
    if (!result.ok) expect(result).toMatchObject({ problem: 'state', legal })
  }
})

describe('approval', () => {
  const previewed = aDrill({ state: 'previewed', schedule: weekly })

  it('is wanted before a wide drill begins or is scheduled', () => {
    for (const kind of ['start', 'schedule']) {
      const step = steps[kind]
      if (step !== undefined)
        expect(takeStep(previewed, step, 2, true)).toMatchObject({ problem: 'approval' })
    }
    expect(legalSteps(previewed, true)).not.toContain('start')
  })

  it.each([
    { who: 'the owner', by: li },
    { who: 'the owner by another token', by: { id: 'o2', name: 'Li' } },
    { who: 'the owner under another name', by: { id: 'o1', name: 'Li Lei' } },
  ])('is not $who’s to give', ({ by }) => {
    expect(takeStep(previewed, { kind: 'approve', by }, 2, true)).toMatchObject({ ok: false, problem: 'own' })
  })

  it('of another person lets it begin', () => {
    const approved = takeStep(previewed, { kind: 'approve', by: wang }, 2, true)
    expect(approved).toMatchObject({ ok: true, drill: { state: 'approved', approver: wang, changedAt: 2 } })
    if (approved.ok) expect(legalSteps(approved.drill, true)).toContain('start')
  })
})

it('without a schedule can not be scheduled', () => {
  const result = takeStep(aDrill({ state: 'approved' }), { kind: 'schedule', by: li, nextAt: 9 }, 2, false)
  expect(result).toMatchObject({ ok: false, problem: 'schedule' })
})

it.each([
  { ending: 'time', state: 'reported' },
  { ending: 'lever', state: 'aborted' },
  { ending: 'failed', state: 'aborted' },
] as const)('that ended by $ending is $state once residents are back', ({ ending, state }) => {
  const run = { startedAt: 1, faultAt: 1, endsAt: 5, overruled: [], endedAt: null, ending: null, detail: '' }
  const ended = takeStep(aDrill({ state: 'running', run }), { kind: 'end', ending, detail: 'x' }, 4, false)
  expect(ended).toMatchObject({ drill: { state: 'restoring', run: { endedAt: 4, ending, detail: 'x' } } })
  if (ended.ok)
    expect(takeStep(ended.drill, { kind: 'restored' }, 6, false)).toMatchObject({ drill: { state } })
})

const anyStep = fc.constantFrom(...Object.values(steps))

it('whatever is tried: none begins unapproved, a run is never lost, what is over stays so', () => {
  fc.assert(
    fc.property(fc.array(anyStep, { maxLength: 30 }), fc.boolean(), (tried, wide) => {
      let drill = aDrill({ schedule: weekly })
      for (const [i, step] of tried.entries()) {
        const before = drill
        const result = takeStep(before, step, 10 + i, wide)
        if (!result.ok) {
          expect(result.legal).toEqual(legalSteps(before, wide))
          continue
        }
        drill = result.drill
        expect(drillStates).toContain(drill.state)
        expect(['reported', 'refused', 'aborted']).not.toContain(before.state)
        if (drill.state === 'running' && wide) expect(drill.approver).toEqual(wang)
        if (before.run !== null) expect(drill.run?.startedAt).toBe(before.run.startedAt)
        expect(drill.run !== null).toBe(
          ['running', 'restoring', 'reported'].includes(drill.state) || before.run !== null,
        )
        if (drill.state === 'restoring') expect(drill.run?.endedAt).toBe(10 + i)
      }
    }),
  )
})
