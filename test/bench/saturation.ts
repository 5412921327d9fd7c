// The saturation part: an open-loop crowd through each contender to nodes that queue without bound.
import { setTimeout as sleep } from 'node:timers/promises'
import { type Capacity, capacityOf, slotsOf } from './capacity.ts'
import type { Contender } from './contenders/contender.ts'
import { startContender } from './contenders/running.ts'
import { cpuMsOf } from './cpu-time.ts'
import { portsOf } from './federation.ts'
import { type OpenPlan, startOpenLoad } from './load/open.ts'
import type { Pinning } from './machine.ts'
import { type FaultNode, type FaultNodes, startFaultNodes } from './nodes/fault-nodes.ts'
import type { Quiet } from './quiet.ts'
import { readCounters } from './report/counters.ts'
import { summarizeCrowd } from './report/crowd-samples.ts'
import type { Progress } from './report/progress.ts'
import type { NodeLoad, SaturationPart, SaturationResult } from './report/saturation-results.ts'
import { jitterShare, type SaturationScenario } from './saturation-scenarios.ts'
import { aborted } from './signals.ts'
import { rounded } from './stats.ts'

export interface SaturationOptions {
  readonly scenarios: readonly SaturationScenario[]
  /** The client gives a request up after it, ms. */
  readonly clientTimeoutMs: number
}

const takesPart = ({ isOursOnly }: SaturationScenario, { name, parts }: Contender): boolean =>
  parts.includes('saturation') && (!isOursOnly || name === 'chiyuan')

/** Load, and what starting, stopping and waiting for the last answers takes. */
const stepMs = ({ warmUp, crowd, after }: SaturationScenario): number =>
  warmUp.lengthMs + crowd.lengthMs + (after?.lengthMs ?? 0) + 2800

export const saturationMs = (contenders: readonly Contender[], { scenarios }: SaturationOptions): number =>
  scenarios.reduce(
    (sum, scenario) => sum + stepMs(scenario) * contenders.filter((each) => takesPart(scenario, each)).length,
    0,
  )

export async function measureSaturation(
  contenders: readonly Contender[],
  options: SaturationOptions,
  pinning: Pinning | null,
  quiet: Quiet,
  progress: Progress,
  signal: AbortSignal,
): Promise<SaturationPart> {
  const noisyBefore = quiet.noisyStarts
  const measured: SaturationPart['scenarios'][number][] = []
  for (const scenario of options.scenarios) {
    const results: SaturationResult[] = []
    progress.eachStepMs = stepMs(scenario)
    for (const contender of contenders.filter((each) => takesPart(scenario, each))) {
      progress.begin(`saturation: ${scenario.name}, ${contender.name}`)
      await quiet.wait(signal)
      results.push(await measureOne(contender, scenario, options, pinning, signal))
      progress.end()
    }
    const { name, title, capacity, crowd, after, warmUp } = scenario
    measured.push({ scenario: name, title, capacity, warmUp, crowd, after, results })
  }
  const { clientTimeoutMs } = options
  const noisyStarts = quiet.noisyStarts - noisyBefore
  return { jitterShare, clientTimeoutMs, noisyStarts, scenarios: measured }
}

/** Nodes and contender are fresh for each, so that no limit is known from an earlier crowd. */
async function measureOne(
  contender: Contender,
  scenario: SaturationScenario,
  { clientTimeoutMs }: SaturationOptions,
  pinning: Pinning | null,
  signal: AbortSignal,
): Promise<SaturationResult> {
  await using stack = new AsyncDisposableStack()
  const { capacity, crowd, extras } = scenario
  const nodes = stack.use(await startFaultNodes(pinning?.load ?? null))
  for (const node of nodes.all) limit(node, scenario)
  const running = stack.use(
    await startContender(contender, nodes.upstreams, pinning?.proxy ?? null, signal, { capacity, extras }),
  )
  // What the harness asked until the contender answered is none of the load.
  const from = performance.timeOrigin + performance.now()
  const plan = planOf(scenario, running.port, portsOf(nodes.upstreams), clientTimeoutMs)
  const load = stack.use(startOpenLoad(plan, pinning?.load ?? null))
  await load.measuring
  const before = cpuMsOf(running.pids)
  await sleep(crowd.lengthMs, undefined, { signal })
  const cpuMs = cpuMsOf(running.pids) - before
  const samples = await Promise.race([load.samples, aborted(signal)])
  const counters = contender.name === 'chiyuan' ? await readCounters(running.adminPort) : null
  const { loads, openAtOnceMost } = await hear(nodes, capacity, from)
  return {
    contender: contender.name,
    ...summarizeCrowd(samples, scenario, cpuMs),
    loads,
    openAtOnceMost,
    counters,
  }
}

const limit = (node: FaultNode, { capacity, serviceMs, keepsSpans }: SaturationScenario): void =>
  node.behave({
    serviceMs,
    jitterShare,
    keepsSpans,
    slots: slotsOf(capacityOf(node.name, capacity), serviceMs),
  })

const planOf = (
  { mix, warmUp, crowd, after }: SaturationScenario,
  port: number,
  rehearsal: readonly number[],
  timeoutMs: number,
): OpenPlan => ({
  port,
  mix,
  rehearsal,
  warmUp,
  phases: after === null ? [crowd] : [crowd, after],
  timeoutMs,
})

interface Heard {
  readonly loads: readonly NodeLoad[]
  readonly openAtOnceMost: number | null
}

/** @param from Only what came to a node after it was open at once, Unix ms. */
async function hear({ all }: FaultNodes, capacity: Capacity, from: number): Promise<Heard> {
  const loads: NodeLoad[] = []
  const spans: (readonly [number, number])[] = []
  for (const node of all) {
    const figures = await node.figures()
    if (figures === null) throw new Error(`${node.name} has died`)
    spans.push(...figures.spans.filter(([cameAt]) => cameAt >= from))
    loads.push({
      node: node.name,
      capacity: capacityOf(node.name, capacity),
      served: figures.served,
      done: figures.done,
      waitedMeanMs: rounded(figures.waitedMeanMs, 1),
      waitedMostMs: rounded(figures.waitedMostMs, 1),
      openMost: figures.openMost,
    })
  }
  return { loads, openAtOnceMost: spans.length === 0 ? null : mostAtOnce(spans) }
}

/** @param spans From and to. */
function mostAtOnce(spans: readonly (readonly [number, number])[]): number {
  const steps = spans.flatMap(([from, to]) => [
    { at: from, by: 1 },
    { at: to, by: -1 },
  ])
  let open = 0
  let most = 0
  // Who ends at the moment when another begins is no longer there.
  for (const { by } of steps.toSorted((a, b) => a.at - b.at || a.by - b.by)) {
    open += by
    most = Math.max(most, open)
  }
  return most
}
