// The open-loop load client: requests leave at their appointed times whatever the answers do, and latency counts from
// the appointed time, so that a stall is felt by all who would have come meanwhile. A process of its own, so that
// nothing else of the harness delays it. Run by `open.ts`.
import { Connections } from './connections.ts'
import { askedBy } from './mix.ts'
import type { LoadPhase, OpenPlan, Sample } from './open.ts'
import { rehearse } from './rehearsal.ts'

process.once('message', (plan: OpenPlan) => void rehearse(plan.rehearsal).then(() => run(plan)))
process.on('disconnect', () => process.exit())

function run({ port, mix, warmUp, phases, timeoutMs }: OpenPlan): void {
  const connections = new Connections(port)
  const samples: Sample[] = []
  const appointments = [...appointmentsOf([warmUp, ...phases])]
  const startedAt = performance.now() + 50
  const measuredFrom = startedAt + warmUp.lengthMs
  let sent = 0
  let over = 0

  const send = (i: number, dueAt: number): void => {
    const { path, kind } = askedBy(mix, i)
    const lateMs = performance.now() - dueAt
    connections.get(path, timeoutMs, (end) => {
      const atMs = dueAt - measuredFrom
      if (atMs >= 0) samples.push({ atMs, latencyMs: performance.now() - dueAt, lateMs, kind, ...end })
      over += 1
      if (over === appointments.length) report()
    })
  }
  const sendDue = (): void => {
    const now = performance.now()
    for (;;) {
      const dueAt = startedAt + (appointments[sent] ?? Infinity)
      if (dueAt > now) break
      send(sent++, dueAt)
    }
    const next = appointments[sent]
    if (next !== undefined) setTimeout(sendDue, Math.max(0, startedAt + next - performance.now()))
  }
  const report = (): void => {
    connections.close()
    process.send?.({ type: 'samples', samples }, () => process.disconnect?.())
  }
  setTimeout(() => process.send?.({ type: 'measuring' }), measuredFrom - performance.now())
  sendDue()
}

/** When each request is to leave, ms from the start. */
function* appointmentsOf(phases: readonly LoadPhase[]): Generator<number> {
  let from = 0
  for (const { ratePerSecond, lengthMs } of phases) {
    const count = Math.round((ratePerSecond * lengthMs) / 1000)
    for (let i = 0; i < count; i++) yield from + (i * 1000) / ratePerSecond
    from += lengthMs
  }
}
