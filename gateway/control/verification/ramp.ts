// Sends read-only requests at a rising rate, as residents would come, and stops at the first sign of harm to the donor.
import { setTimeout as pause } from 'node:timers/promises'
import { Pool } from 'undici'
import { z } from 'zod'
import type { EnrolmentTerms } from '../../model/enrolment.ts'
import type { CodeNode } from '../../model/region.ts'
import type { VerificationProgress } from '../../model/verification.ts'
import {
  type Harm,
  harmOf,
  p99Of,
  type RampStep,
  samplesAtLeast,
  type StepStats,
} from '../../policy/verification-ramp.ts'
import type { AskNode } from '../health/ask-node.ts'
import type { NodeConnector } from '../node-tls/connect.ts'
import { get } from './get.ts'
import type { VerificationSettings } from './settings.ts'

export interface RampParts {
  readonly connector: NodeConnector
  readonly ask: AskNode
  readonly settings: VerificationSettings
  readonly signal: AbortSignal
  readonly progress: (event: VerificationProgress) => void
}

export interface RampResult {
  /** `null`: it rose to the end. */
  readonly harm: Harm | null
  /** The rate at which it ended or was stopped, per second. */
  readonly rps: number
  /** What was sent in the last step, per second: less than asked for where this process had no time. */
  readonly sentRps: number
  readonly requests: number
  readonly firstP99Ms: number | null
  readonly lastP99Ms: number
}

const tickMs = 10
const loadEveryMs = 500
/** Requests open at once where the donor named no bound. */
const openAtMost = 256
const loadReport = z.object({
  inFlight: z.number().min(0),
  limit: z.number().min(1),
  draining: z.boolean().optional(),
})

/** Rejects only with the reason of `signal`. */
export async function rampUp(
  nodes: readonly CodeNode[],
  terms: EnrolmentTerms,
  plan: readonly RampStep[],
  parts: RampParts,
): Promise<RampResult> {
  await using load = new RampLoad(nodes, terms, parts)
  let firstP99Ms: number | null = null
  let requests = 0
  let last = { rps: 0, sentRps: 0, stats: load.stats() }
  for (const [i, step] of plan.entries()) {
    const { harm, sent, ranMs } = await load.run(step, firstP99Ms)
    parts.signal.throwIfAborted()
    const stats = load.stats()
    requests += sent
    last = { rps: step.rps, sentRps: (sent * 1000) / ranMs, stats }
    parts.progress({
      kind: 'ramp',
      step: i + 1,
      steps: plan.length,
      rps: step.rps,
      requests,
      p99Ms: stats.p99Ms,
    })
    if (harm !== null) return resultOf(harm, last, requests, firstP99Ms)
    // Few requests tell no p99; then a later step is the measure.
    if (firstP99Ms === null && stats.answered >= samplesAtLeast) firstP99Ms = stats.p99Ms
  }
  return resultOf(null, last, requests, firstP99Ms)
}

const resultOf = (
  harm: Harm | null,
  { rps, sentRps, stats }: { rps: number; sentRps: number; stats: StepStats },
  requests: number,
  firstP99Ms: number | null,
): RampResult => ({ harm, rps, sentRps, requests, firstP99Ms, lastP99Ms: stats.p99Ms })

class RampLoad implements AsyncDisposable {
  private readonly nodes: readonly CodeNode[]
  private readonly parts: RampParts
  private readonly paths: readonly string[]
  private readonly pools: readonly Pool[]
  private readonly open: number
  private readonly stop = new AbortController()
  private readonly running = new Set<Promise<void>>()
  private turn = 0
  private latencies: number[] = []
  private errors = 0
  private refusals = 0
  private unsent = 0
  private load = 0
  private inFlight = 0

  constructor(nodes: readonly CodeNode[], { homes, limit }: EnrolmentTerms, parts: RampParts) {
    this.nodes = nodes
    this.parts = parts
    this.paths = homes.map((home) => `/v1/codes/${parts.settings.testResident(home)}`)
    this.open = limit.concurrent ?? openAtMost
    this.pools = nodes.map((node) => this.poolOf(node))
  }

  stats(): StepStats {
    const { errors, latencies, load, refusals, unsent } = this
    return { answered: latencies.length, errors, refusals, unsent, load, p99Ms: Math.round(p99Of(latencies)) }
  }

  /** One step. Ends early at the first sign of harm, or when somebody breaks it off. */
  async run({ durationMs, rps }: RampStep, firstP99Ms: number | null) {
    this.latencies = []
    this.errors = 0
    this.refusals = 0
    this.unsent = 0
    const { settings, signal } = this.parts
    const { growthFloorMs } = settings
    const beganAt = performance.now()
    let nextLoadAt = beganAt
    let due = 0
    let sent = 0
    let harm: Harm | null = null
    for (;;) {
      const now = performance.now()
      const ranMs = now - beganAt
      if (ranMs >= durationMs || harm !== null || signal.aborted) break
      if (now >= nextLoadAt) {
        nextLoadAt = now + loadEveryMs
        this.track(this.lookAtLoad())
      }
      // What came due while this process was busy is not made up for in a burst.
      const target = Math.ceil((rps * ranMs) / 1000)
      due = Math.max(due, target - Math.ceil((rps * 50) / 1000) - 1)
      for (; due < target; due++) {
        if (this.inFlight >= this.open) this.unsent += 1
        else {
          sent += 1
          this.track(this.send())
        }
      }
      await pause(tickMs)
      harm = harmOf(this.stats(), firstP99Ms, growthFloorMs)
    }
    const ranMs = performance.now() - beganAt
    // What is still open is this step's too; whoever breaks off or is hurt does not wait for it.
    if (harm === null && !signal.aborted) {
      await Promise.all(this.running)
      harm = harmOf(this.stats(), firstP99Ms, growthFloorMs)
    }
    return { harm, sent, ranMs }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop.abort()
    await Promise.all(this.running)
    await Promise.all(this.pools.map((pool) => pool.destroy()))
  }

  private track(task: Promise<void>): void {
    this.running.add(task)
    void task.finally(() => this.running.delete(task))
  }

  /** Never rejects. */
  private async send(): Promise<void> {
    const { settings, signal } = this.parts
    const at = (this.turn += 1)
    const i = at % this.nodes.length
    const [pool, node, path] = [this.pools[i], this.nodes[i], this.paths[at % this.paths.length]]
    if (pool === undefined || node === undefined || path === undefined) return
    const deadline = AbortSignal.any([signal, this.stop.signal, AbortSignal.timeout(settings.timeoutMs)])
    const sentAt = performance.now()
    this.inFlight += 1
    try {
      const answer = await pool.request({
        path: node.basePath + path,
        method: 'GET',
        headers: { host: node.authority, 'user-agent': 'chiyuan-verification' },
        signal: deadline,
      })
      await answer.body.dump({ limit: settings.mostBytes, signal: deadline })
      if (answer.statusCode === 200) this.latencies.push(performance.now() - sentAt)
      else this.errors += 1
      if (answer.statusCode === 429 || answer.statusCode === 503) this.refusals += 1
    } catch {
      // Its kind does not matter here: the checks before this one tell kinds apart. One that we broke off is no error.
      if (!signal.aborted && !this.stop.signal.aborted) this.errors += 1
    } finally {
      this.inFlight -= 1
    }
  }

  /** Never rejects: a node without a load report is judged by its answers alone. */
  private async lookAtLoad(): Promise<void> {
    const { ask, settings } = this.parts
    const signal = AbortSignal.any([this.parts.signal, this.stop.signal])
    const loads = this.nodes.map(async (node) => {
      try {
        const { body, status } = await get(ask, node, '/load', { ...settings, signal })
        const read = status === 200 ? loadReport.safeParse(JSON.parse(body)) : null
        if (read?.success !== true) return 0
        return read.data.draining === true ? 1 : read.data.inFlight / read.data.limit
      } catch {
        return 0
      }
    })
    this.load = Math.max(0, ...(await Promise.all(loads)))
  }

  private poolOf(node: CodeNode): Pool {
    const { connector, settings } = this.parts
    return new Pool(node.origin, {
      connections: Math.min(this.open, openAtMost),
      pipelining: 1,
      connect: (_options, made) => {
        connector.connect(node, { timeoutMs: settings.timeoutMs, signal: this.stop.signal }).then(
          (socket) => made(null, socket),
          (cause: unknown) => made(cause instanceof Error ? cause : new Error(String(cause)), null),
        )
      },
    })
  }
}
