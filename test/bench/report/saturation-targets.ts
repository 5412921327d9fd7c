// What Chiyuan is to reach under saturation, and a line for each that a run missed.
import { capacityOf } from '../capacity.ts'
import type { SaturatedScenario, SaturationPart, SaturationResult } from './saturation-results.ts'
import { percent } from './table.ts'

/** Of what the nodes could answer. */
const leastOfPossible = 0.95
const learntWithinMs = 2000
const crowdP99Ms = 200
const homeWithinMs = 10_000
/** Of all good answers: what may go to the province though nearer levels had room. */
const tooFarShare = 0.02

export function missedTargets({ scenarios }: SaturationPart): string[] {
  return scenarios.flatMap((scenario) => {
    const ours = scenario.results.find(({ contender }) => contender === 'chiyuan')
    if (ours === undefined) return []
    return missedIn(scenario, ours).map((what) => `${scenario.scenario}: ${what}`)
  })
}

function missedIn(scenario: SaturatedScenario, ours: SaturationResult): string[] {
  if (scenario.scenario === 'ten-times') return [...crowdMissed(ours), ...afterMissed(ours)]
  if (scenario.scenario === 'classes') return classesMissed(ours)
  if (scenario.scenario === 'large-nodes') return largeMissed(scenario, ours)
  if (scenario.scenario === 'refresh-storm') {
    const open = ours.openAtOnceMost ?? 0
    return open > 1 ? [`${open} requests for the same code were open at once, target 1`] : []
  }
  return []
}

function crowdMissed({ goodShare, possibleShare, learntMs, p99Ms }: SaturationResult): string[] {
  const ofPossible = goodShare / possibleShare
  const missed: string[] = []
  if (ofPossible < leastOfPossible) {
    missed.push(`${percent(ofPossible)} of what was possible, target ${percent(leastOfPossible)}`)
  }
  if (p99Ms > crowdP99Ms) missed.push(`p99 of the answers ${Math.round(p99Ms)} ms, target ${crowdP99Ms} ms`)
  if (learntMs === null || learntMs >= learntWithinMs) {
    missed.push(`limit learnt ${after(learntMs)}, target under ${learntWithinMs / 1000} s`)
  }
  return missed
}

function afterMissed(ours: SaturationResult): string[] {
  const homeMs = ours.after?.homeMs ?? null
  if (ours.after === null || (homeMs !== null && homeMs < homeWithinMs)) return []
  return [`home again ${after(homeMs)}, target under ${homeWithinMs / 1000} s`]
}

function classesMissed({ goodByClass }: SaturationResult): string[] {
  const critical = goodByClass?.critical ?? 1
  return critical < 1 ? [`${percent(critical, 1)} of critical requests answered well, target 100 %`] : []
}

function largeMissed({ capacity, crowd }: SaturatedScenario, ours: SaturationResult): string[] {
  const nearer =
    capacityOf('xian-1', capacity) + capacityOf('xian-2', capacity) + capacityOf('xianyang-1', capacity)
  const due = Math.max(0, crowd.ratePerSecond - nearer) / crowd.ratePerSecond
  const used = ours.answeredBy.province / ours.offered
  const missed: string[] = []
  if (ours.goodShare < 1) missed.push(`${percent(ours.goodShare, 2)} answered well, target 100 %`)
  if (used > due + tooFarShare) {
    missed.push(
      `${percent(used)} answered by the province, of which nearer levels could not take ${percent(due)}`,
    )
  }
  return missed
}

const after = (time: number | null): string =>
  time === null ? 'never' : `after ${(time / 1000).toFixed(1)} s`
