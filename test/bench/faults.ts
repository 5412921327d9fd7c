// The fault scenarios: an open-loop load through each contender while the local nodes fail and come back.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender } from './contenders/contender.ts'
import { type Running, startContender } from './contenders/running.ts'
import { startOpenLoad } from './load/open.ts'
import type { Pinning } from './machine.ts'
import { type FaultNode, startFaultNodes } from './nodes/fault-nodes.ts'
import { readCounters } from './report/counters.ts'
import type { Quiet } from './quiet.ts'
import type { Progress } from './report/progress.ts'
import type { FaultPart, FaultResult } from './report/results.ts'
import { summarizeSamples } from './report/samples.ts'
import type { Scenario } from './scenarios.ts'
import { aborted } from './signals.ts'

export interface FaultOptions {
  readonly scenarios: readonly Scenario[]
  readonly ratePerSecond: number
  readonly warmUpMs: number
  readonly faultAtMs: number
  readonly recoverAtMs: number
  readonly endAtMs: number
  readonly clientTimeoutMs: number
}

/** Of one step: warm-up and load, and what starting and stopping takes. */
const faultStepMs = ({ warmUpMs, endAtMs }: FaultOptions): number => warmUpMs + endAtMs + 1500

export const faultMs = (contenders: number, options: FaultOptions): number =>
  contenders * options.scenarios.length * faultStepMs(options)

export async function measureFaults(
  contenders: readonly Contender[],
  options: FaultOptions,
  pinning: Pinning | null,
  quiet: Quiet,
  progress: Progress,
  signal: AbortSignal,
): Promise<FaultPart> {
  const noisyBefore = quiet.noisyStarts
  const measured: FaultPart['scenarios'][number][] = []
  progress.eachStepMs = faultStepMs(options)
  for (const scenario of options.scenarios) {
    const results: FaultResult[] = []
    for (const contender of contenders) {
      progress.begin(`faults: ${scenario.name}, ${contender.name}`)
      await quiet.wait(signal)
      results.push(await measureOne(contender, scenario, options, pinning, signal))
      progress.end()
    }
    measured.push({ scenario: scenario.name, title: scenario.title, results })
  }
  const { ratePerSecond, faultAtMs, recoverAtMs, endAtMs, clientTimeoutMs } = options
  return {
    ratePerSecond,
    faultAtMs,
    recoverAtMs,
    endAtMs,
    clientTimeoutMs,
    serviceMs: 5,
    noisyStarts: quiet.noisyStarts - noisyBefore,
    scenarios: measured,
  }
}

/** Nodes and contender are fresh for each, so that nothing of an earlier fault is left in any memory. */
async function measureOne(
  contender: Contender,
  scenario: Scenario,
  options: FaultOptions,
  pinning: Pinning | null,
  signal: AbortSignal,
): Promise<FaultResult> {
  await using stack = new AsyncDisposableStack()
  const nodes = stack.use(await startFaultNodes(pinning?.load ?? null))
  const toAllLocal = async (act: Scenario['begin'] | undefined): Promise<void> => {
    await Promise.all(nodes.local.map(async (node) => act?.(node)))
  }
  await toAllLocal(scenario.prepare)
  const running: Running = stack.use(
    await startContender(contender, nodes.upstreams, pinning?.proxy ?? null, signal),
  )
  const load = stack.use(
    startOpenLoad(
      {
        port: running.port,
        mix: 'regulars',
        rehearsal: [],
        warmUp: { ratePerSecond: options.ratePerSecond, lengthMs: options.warmUpMs },
        phases: [{ ratePerSecond: options.ratePerSecond, lengthMs: options.endAtMs }],
        timeoutMs: options.clientTimeoutMs,
      },
      pinning?.load ?? null,
    ),
  )
  await load.measuring
  const startedAt = performance.now()
  const until = (ms: number): Promise<void> =>
    sleep(Math.max(0, startedAt + ms - performance.now()), undefined, { signal })
  await until(options.faultAtMs)
  await toAllLocal(scenario.begin)
  await until(options.recoverAtMs)
  await toAllLocal(scenario.end)
  const samples = await Promise.race([load.samples, aborted(signal)])
  const counters = contender.name === 'chiyuan' ? await readCounters(running.adminPort) : null
  const served = scenario.name === 'kill' ? null : await Promise.all(nodes.all.map(servedBy))
  return summarizeSamples(contender.name, samples, options, served, counters)
}

const servedBy = async (node: FaultNode): Promise<number> => (await node.figures())?.served ?? 0
