// What each region has proven by drills, and what it never has: the readiness of the federation, worst first.
import type { DrillEnding, DrillRun, FaultKind } from '../model/drill.ts'
import type { NodeId, RegionId } from '../model/ids.ts'
import type { LevelName, Region } from '../model/region.ts'
import type { Home, Level } from '../model/snapshot.ts'
import type { DrillReport, DrillVerdict } from './drill-report.ts'
import { targetsOf } from './drill-scope.ts'
import type { Words } from './words.ts'

/**
 * Worst first:
 * - `failed`: the last drill that shows anything missed an objective, or was stopped for residents' sake;
 * - `never`: no drill has shown anything;
 * - `ageing`: passed, but too long ago;
 * - `ready`: passed.
 *
 * A region has the worst grade of the faults that have been tested, `never` where none has.
 */
export const readinessGrades = ['failed', 'never', 'ageing', 'ready'] as const
export type ReadinessGrade = (typeof readinessGrades)[number]

export const faultKinds = [
  'trip',
  'blackhole',
  'refuse',
  'latency',
  'errors',
  'probe-fail',
  'quota-cut',
  'registry-loss',
] as const satisfies readonly FaultKind[]

/** A pass is good for so long. */
export const staleAfterDays = 90
const dayMs = 86_400_000

/** What the scoreboard remembers of a drill that ran. */
export interface DrillResult {
  readonly drill: string
  readonly fault: FaultKind
  /** By home that took part, the nodes that its residents met the fault at. */
  readonly reached: Readonly<Record<string, readonly NodeId[]>>
  /** Wall-clock milliseconds since 1970. */
  readonly endedAt: number
  readonly ending: DrillEnding | null
  readonly verdict: DrillVerdict
}

/** @param homes As they are while it runs. */
export function resultOf(
  report: Pick<DrillReport, 'drill' | 'scope' | 'fault' | 'verdict'>,
  { endedAt, endsAt, ending }: Pick<DrillRun, 'endedAt' | 'endsAt' | 'ending'>,
  homes: ReadonlyMap<string, Home>,
): DrillResult {
  const { drill, scope, fault, verdict } = report
  const reachedAt = (code: RegionId): NodeId[] => {
    const home = homes.get(code)
    // A lost registry is no node's fault.
    return home === undefined || fault.kind === 'registry-loss'
      ? []
      : targetsOf(scope, home).map(({ id }) => id)
  }
  return {
    drill,
    fault: fault.kind,
    reached: Object.fromEntries(scope.homes.map((code) => [code, reachedAt(code)])),
    endedAt: endedAt ?? endsAt,
    ending,
    verdict,
  }
}

/** A drill in which something was tested, and how long ago, in whole days. */
export interface Tested {
  readonly drill: string
  readonly at: number
  readonly ageDays: number
  readonly verdict: DrillVerdict
}

export interface FaultScore {
  readonly fault: FaultKind
  readonly grade: ReadinessGrade
  /** The last that ran, whether it shows anything or not. */
  readonly last: Tested | null
  /** The last that passed. */
  readonly lastPassed: Tested | null
}

export interface LevelScore {
  readonly level: LevelName
  readonly region: RegionId
  /** The last passed drill whose fault lay upon all nodes that the level has today. */
  readonly lastPassed: Tested | null
  readonly nodes: readonly {
    readonly node: NodeId
    /** The last passed drill whose fault lay upon it. */
    readonly lastPassed: Tested | null
  }[]
}

export interface RegionScore {
  readonly region: RegionId
  readonly name: Region['name']
  readonly grade: ReadinessGrade
  readonly words: Words
  /** The last drill of any fault. */
  readonly last: Tested | null
  /** Faults that no drill has shown anything of. */
  readonly untested: readonly FaultKind[]
  readonly faults: readonly FaultScore[]
  /** Who may answer for its residents, nearest first. */
  readonly levels: readonly LevelScore[]
}

export const readinessWords: Readonly<Record<ReadinessGrade, Words>> = {
  failed: { zh: '未通过：最近一次演练未达标', en: 'FAILED: the last drill did not pass' },
  never: { zh: '从未验证', en: 'NEVER TESTED' },
  ageing: { zh: '已过时：上次达标过久', en: 'ageing: it passed too long ago' },
  ready: { zh: '就绪', en: 'ready' },
}

/**
 * Every home region, worst first: by its grade, then by how much is untested, then by its code.
 *
 * @param results In any order.
 * @param now Wall-clock milliseconds since 1970.
 * @param staleDays A pass is good for so many days.
 */
export function scoreboardOf(
  homes: Iterable<Home>,
  results: readonly DrillResult[],
  now: number,
  staleDays: number = staleAfterDays,
): RegionScore[] {
  const byHome = newestFirstByHome(results)
  return [...homes]
    .map((home) => scoreOf(home, byHome.get(home.region.code) ?? [], now, staleDays))
    .sort((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1))
}

/** What regions are ordered by, and pages go on after: less is worse. */
export const rankOf = ({
  grade,
  untested,
  region,
}: Pick<RegionScore, 'grade' | 'untested' | 'region'>): string =>
  `${readinessGrades.indexOf(grade)}.${faultKinds.length - untested.length}.${region}`

function newestFirstByHome(results: readonly DrillResult[]): Map<string, DrillResult[]> {
  const byHome = new Map<string, DrillResult[]>()
  // Of two that ended at once either may be first, but always the same.
  const newestFirst = results.toSorted((a, b) => b.endedAt - a.endedAt || (a.drill < b.drill ? -1 : 1))
  for (const result of newestFirst) {
    for (const home of Object.keys(result.reached)) {
      const there = byHome.get(home)
      if (there === undefined) byHome.set(home, [result])
      else there.push(result)
    }
  }
  return byHome
}

/** @param results Newest first. */
function scoreOf(home: Home, results: readonly DrillResult[], now: number, staleDays: number): RegionScore {
  const tested = (result: DrillResult | undefined): Tested | null =>
    result === undefined ? null : testedBy(result, now)
  const faults = faultKinds.map((fault): FaultScore => {
    const own = results.filter((result) => result.fault === fault)
    const conclusive = own.find((result) => proofOf(result) !== 'nothing')
    return {
      fault,
      grade: gradeOf(conclusive, now, staleDays),
      last: tested(own[0]),
      lastPassed: tested(own.find((result) => proofOf(result) === 'passed')),
    }
  })
  const untested = faults.filter(({ grade }) => grade === 'never').map(({ fault }) => fault)
  const grades = new Set(faults.map((one) => one.grade))
  const grade = readinessGrades.find((one) => one !== 'never' && grades.has(one)) ?? 'never'
  const passed = results.filter((result) => proofOf(result) === 'passed')
  return {
    region: home.region.code,
    name: home.region.name,
    grade,
    words: readinessWords[grade],
    last: tested(results[0]),
    untested,
    faults,
    levels: levelsOf(home, passed, tested),
  }
}

function levelsOf(
  { region, levels }: Home,
  passed: readonly DrillResult[],
  tested: (result: DrillResult | undefined) => Tested | null,
): LevelScore[] {
  /** The newest drill that reached each node. */
  const newest = new Map<NodeId, DrillResult>()
  const sets = passed.map((result) => ({ result, nodes: new Set(result.reached[region.code]) }))
  for (const { result, nodes } of sets) {
    for (const node of nodes) if (!newest.has(node)) newest.set(node, result)
  }
  const whole = ({ nodes: all }: Level): DrillResult | undefined =>
    sets.find(({ nodes }) => all.every(({ id }) => nodes.has(id)))?.result
  return levels.map((level) => ({
    level: level.name,
    region: level.region,
    lastPassed: tested(whole(level)),
    nodes: level.nodes.map(({ id }) => ({ node: id, lastPassed: tested(newest.get(id)) })),
  }))
}

/**
 * What a drill proves. One that was stopped because residents saw errors or waited too long failed them. One that somebody
 * ended, or that met nobody, proves nothing.
 */
function proofOf({ verdict, ending }: DrillResult): 'passed' | 'failed' | 'nothing' {
  if (verdict === 'passed' || verdict === 'failed') return verdict
  return verdict === 'ended-early' && (ending === 'errors' || ending === 'latency') ? 'failed' : 'nothing'
}

function gradeOf(conclusive: DrillResult | undefined, now: number, staleDays: number): ReadinessGrade {
  if (conclusive === undefined) return 'never'
  if (proofOf(conclusive) === 'failed') return 'failed'
  return now - conclusive.endedAt > staleDays * dayMs ? 'ageing' : 'ready'
}

const testedBy = ({ drill, endedAt, verdict }: DrillResult, now: number): Tested => ({
  drill,
  at: endedAt,
  // Another gateway's clock may be ahead.
  ageDays: Math.max(0, Math.floor((now - endedAt) / dayMs)),
  verdict,
})
