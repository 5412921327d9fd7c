// An open-loop load in a process of its own; see `open-client.ts`.
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { start } from '../processes.ts'
import { classNames, type Mix } from './mix.ts'

const script = fileURLToPath(new URL('./open-client.ts', import.meta.url))

export interface LoadPhase {
  readonly ratePerSecond: number
  readonly lengthMs: number
}

export interface OpenPlan {
  readonly port: number
  readonly mix: Mix
  /** Ports of nodes to practise on before anything is sent to `port`; see `rehearsal.ts`. */
  readonly rehearsal: readonly number[]
  /** Load before the measured one. */
  readonly warmUp: LoadPhase
  /** The measured load, one after the other. */
  readonly phases: readonly LoadPhase[]
  /** A request without a whole answer by then has failed. */
  readonly timeoutMs: number
}

const sample = z.object({
  /** Intended send time, ms from the start of the measured load. */
  atMs: z.number(),
  /** From the intended send time to the last byte or the failure, ms. */
  latencyMs: z.number(),
  /** From the intended to the real send time, ms: what the load itself was behind. */
  lateMs: z.number(),
  kind: z.enum(classNames).nullable(),
  /** `200`, another status, or what became of the connection. */
  end: z.string(),
  /** Who answered. */
  node: z.string().nullable(),
  /** The client had to send it a second time, since its kept connection was cut without an answer. */
  resent: z.boolean(),
})
export type Sample = z.output<typeof sample>

const message = z.discriminatedUnion('type', [
  z.object({ type: z.literal('measuring') }),
  z.object({ type: z.literal('samples'), samples: z.array(sample) }),
])

export interface OpenLoad extends AsyncDisposable {
  /** Resolves when the warm-up is over and the measured load begins. */
  readonly measuring: Promise<void>
  readonly samples: Promise<readonly Sample[]>
}

export function startOpenLoad(plan: OpenPlan, cores: string | null): OpenLoad {
  const client = start({ file: process.execPath, args: [script], cores, ipc: true })
  const measuring = Promise.withResolvers<void>()
  const samples = Promise.withResolvers<readonly Sample[]>()
  client.child.on('message', (raw) => {
    const heard = message.parse(raw)
    if (heard.type === 'measuring') measuring.resolve()
    else samples.resolve(heard.samples)
  })
  const lengthMs = [plan.warmUp, ...plan.phases].reduce((sum, phase) => sum + phase.lengthMs, 0)
  const tooLate = setTimeout(() => client.signal('SIGKILL'), lengthMs + plan.timeoutMs + 20_000)
  void client.ended.then(() => {
    clearTimeout(tooLate)
    const failure = new Error(`the load client ended early: ${client.output.trim()}`)
    measuring.reject(failure)
    samples.reject(failure)
  })
  // Whoever waits hears of it; a run that is broken off waits no more.
  measuring.promise.catch(() => {})
  samples.promise.catch(() => {})
  client.child.send(plan)
  return {
    measuring: measuring.promise,
    samples: samples.promise,
    [Symbol.asyncDispose]: () => client.kill(),
  }
}
