// The fault scenarios: an open-loop load through each contender while the local nodes fail and come back.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Contender } from './contenders/contender.ts'
import { type Running, startContender } from './contenders/running.ts'
import { startOpenLoad } from './load/open.ts'
import type { Pinning } from './machine.ts'
import { startFaultNodes } from './nodes/fault-nodes.ts'
import { readCounters } from './report/counters.ts'
import type { Quiet } from './quiet.ts'
import type { Progress } from './report/progress.ts'
import type { FaultPart, FaultResult } from './report/results.ts'
import { summarizeSamples } from './report/samples.ts'
import { type Scenario, scenarios } from './scenarios.ts'

export interface FaultOptions {
  readonly ratePerSecond: number
  readonly warmUpMs: number
  readonly faultAtMs: number
  readonly recoverAtMs: number
  readonly endAtMs: number
  readonly clientTimeoutMs: number
}

export const faultSteps = (contenders: number): number => contenders * scenarios.length
/** Warm-up and load, and what starting and stopping takes. */
export const faultStepMs = ({ warmUpMs, endAtMs }: FaultOptions): number => warmUpMs + endAtMs + 1500

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
  for (const scenario of scenarios) {
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
        ratePerSecond: options.ratePerSecond,
        warmUpMs: options.warmUpMs,
        lengthMs: options.endAtMs,
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
  const served = scenario.name === 'kill' ? null : await Promise.all(nodes.all.map((node) => node.served()))
  return summarizeSamples(contender.name, samples, options, served, counters)
}

const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    if (signal.aborted) stop()
    else signal.addEventListener('abort', stop, { once: true })
  })
