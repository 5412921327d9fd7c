// CPU time of a contender per answered request, in interleaved rounds, so that a busy minute of the machine hits all.
import type { Contender } from './contenders/contender.ts'
import { type Running, startContender } from './contenders/running.ts'
import { busyMsOf, cpuMsOf } from './cpu-time.ts'
import { type ClosedLoad, prepareClosedLoad } from './load/closed.ts'
import type { Pinning } from './machine.ts'
import { startCheapNodes } from './nodes/cheap-nodes.ts'
import type { Quiet } from './quiet.ts'
import type { Progress } from './report/progress.ts'
import type { CpuPart, CpuResult, Round } from './report/results.ts'
import { median, rounded } from './stats.ts'

export interface CpuOptions {
  readonly rounds: number
  /** Length of a measured round, s. */
  readonly seconds: number
  /** Load before each measured round, s. */
  readonly warmUpSeconds: number
  /** Requests open at any time. */
  readonly connections: number
}

const cpuSteps = (contenders: number, { rounds }: CpuOptions): number => contenders * (rounds + 1)
const cpuStepMs = ({ seconds, warmUpSeconds }: CpuOptions): number => (seconds + warmUpSeconds) * 1000 + 100

export const cpuMs = (contenders: number, options: CpuOptions): number =>
  cpuSteps(contenders, options) * cpuStepMs(options)

export async function measureCpu(
  contenders: readonly Contender[],
  options: CpuOptions,
  pinning: Pinning | null,
  quiet: Quiet,
  progress: Progress,
  signal: AbortSignal,
): Promise<CpuPart> {
  await using stack = new AsyncDisposableStack()
  const nodes = stack.use(await startCheapNodes(pinning?.load ?? null, signal))
  const load = stack.use(await prepareClosedLoad(options.connections, pinning?.load ?? null))
  const running: Running[] = []
  for (const contender of contenders) {
    running.push(stack.use(await startContender(contender, nodes.upstreams, pinning?.proxy ?? null, signal)))
  }
  const rounds = new Map<Running, Round[]>(running.map((each) => [each, []]))
  progress.eachStepMs = cpuStepMs(options)
  // Round 0 is not counted: it lets compilers, connection pools and caches settle.
  for (let round = 0; round <= options.rounds; round++) {
    // Back and forth, so that nobody always runs after the same neighbour.
    for (const each of round % 2 === 0 ? running : running.toReversed()) {
      const what = `${each.contender.name}, ${round === 0 ? 'warm-up' : `round ${round} of ${options.rounds}`}`
      progress.begin(`CPU: ${what}`)
      await quiet.wait(signal)
      const measured = await measureRound(each, load, options, pinning, signal)
      if (round > 0) rounds.get(each)?.push(measured)
      progress.end()
    }
  }
  const first = running.find(({ contender }) => contender.name === 'chiyuan')
  const ours = first === undefined ? [] : (rounds.get(first) ?? [])
  return {
    ...options,
    client: load.client,
    upstream: nodes.kind,
    noisyStarts: quiet.noisyStarts,
    results: running.map((each) => summarize(each.contender, rounds.get(each) ?? [], ours)),
  }
}

async function measureRound(
  { port, pids }: Running,
  load: ClosedLoad,
  { seconds, warmUpSeconds }: CpuOptions,
  pinning: Pinning | null,
  signal: AbortSignal,
): Promise<Round> {
  await load.run(port, warmUpSeconds, signal)
  const core = pinning?.proxy ?? null
  const startedAt = performance.now()
  const cpuBefore = cpuMsOf(pids)
  const busyBefore = core === null ? 0 : busyMsOf(core)
  const { answered, errors, seconds: taken } = await load.run(port, seconds, signal)
  const cpuMs = cpuMsOf(pids) - cpuBefore
  const wallMs = performance.now() - startedAt
  const othersMs = core === null ? 0 : Math.max(0, busyMsOf(core) - busyBefore - cpuMs)
  return {
    cpuUs: rounded((cpuMs * 1000) / Math.max(1, answered), 2),
    perSecond: Math.round(answered / taken),
    coreShare: rounded(cpuMs / (taken * 1000), 3),
    othersShare: core === null ? null : rounded(othersMs / wallMs, 3),
    answered,
    errors,
  }
}

const summarize = (contender: Contender, rounds: readonly Round[], ours: readonly Round[]): CpuResult => ({
  contender: contender.name,
  cpuUs: rounded(median(rounds.map(({ cpuUs }) => cpuUs)), 1),
  cpuUsLeast: rounded(Math.min(...rounds.map(({ cpuUs }) => cpuUs)), 1),
  cpuUsMost: rounded(Math.max(...rounds.map(({ cpuUs }) => cpuUs)), 1),
  // Round by round, since a slow minute of the machine slows both.
  toOurs:
    ours.length === 0
      ? null
      : rounded(median(rounds.map(({ cpuUs }, i) => cpuUs / (ours[i]?.cpuUs ?? cpuUs))), 2),
  perSecond: Math.round(median(rounds.map(({ perSecond }) => perSecond))),
  coreShare: rounded(median(rounds.map(({ coreShare }) => coreShare)), 2),
  errors: rounds.reduce((sum, { errors }) => sum + errors, 0),
  rounds,
})
