// Runs drills, at one gateway of all: looks every second at those that are on, ends them when they have to, and writes what came of them.
import type { Clock } from '../../model/clock.ts'
import type { Drill, DrillRun } from '../../model/drill.ts'
import type { Mode } from '../../model/mode.ts'
import type { Measured } from '../../model/readings.ts'
import type { Snapshot } from '../../model/snapshot.ts'
import { type DrillStep, takeStep } from '../../policy/drill.ts'
import { drillObjections, needsApproval, objectionsTo } from '../../policy/drill-guards.ts'
import { withGateways } from '../../policy/drill-part.ts'
import { reportOf } from '../../policy/drill-report.ts'
import { mayBegin, nextStart } from '../../policy/drill-schedule.ts'
import { resultOf } from '../../policy/drill-scoreboard.ts'
import type { Stop } from '../../policy/drill-stop.ts'
import type { Changes } from '../changes.ts'
import { nextTurn } from '../guard-turn.ts'
import { drillLeverKey } from '../intent/drills.ts'
import type { OneByOne } from '../one-by-one.ts'
import type { Lock } from '../registry/lock.ts'
import { type RegistryChange, RegistryUnavailable } from '../registry/port.ts'
import type { Versioned } from '../registry/typed.ts'
import { auditReferences } from './audit-references.ts'
import type { Foreseen } from './facts.ts'
import { leaseMs, newLeases, ownLeases, renewBelowMs } from './leases.ts'
import { listDrills } from './listed.ts'
import type { DrillsMeasuredByAll } from './parts.ts'
import { drillPrefix, drillReportPrefix } from './records.ts'
import { resultWrite } from './results.ts'
import { Standby } from './standby.ts'
import { startOf } from './writes.ts'
import { Watch } from './watch.ts'

export interface RunnerParts {
  /** Whose holder runs drills; its registry refuses what is written without it. */
  readonly lock: Pick<Lock, 'isHeld' | 'registry' | 'depose'>
  /** On that registry. */
  readonly changes: Pick<Changes, 'commit' | 'note'>
  readonly clock: Clock
  /** Wall-clock milliseconds since 1970. */
  readonly wallNow: () => number
  readonly snapshot: () => Snapshot
  /** The mode that is in force. */
  readonly mode: () => Mode
  readonly measured: Measured
  readonly drills: DrillsMeasuredByAll
  /** Changes that guards judge, whoever makes them: a drill that begins by its schedule is one of them. */
  readonly guarded: OneByOne
  /** Reads anew what operators have decided. @throws {RegistryUnavailable} */
  readonly hearAgain: () => Promise<void>
  readonly foresee: (drill: Drill, others: readonly Drill[]) => Promise<Foreseen>
  /** How long a drill is only measured before its fault, ms: what a breaker remembers. */
  readonly aheadMs: () => number
  /** Stands in the audit log for what nobody did by hand. */
  readonly gatewayId: string
  /** Told of each drill that it brings into another state. */
  readonly moved?: (drill: Drill) => void
  /** A fault of our own. */
  readonly fault: (cause: unknown) => void
}

const everyMs = 1000
/** When a drill's time is over, those that are still there have told so by then, ms. */
const heardLateMs = 3000
/** Nobody is on the way back for longer than that, ms. */
const restoringAtMostMs = 120_000
/** A window that was missed is not tried again within the same minute, ms. */
const retryScheduleMs = 60_000

export class DrillRunner implements AsyncDisposable {
  private readonly parts: RunnerParts
  private readonly watches = new Map<string, Watch>()
  private known: readonly Versioned<Drill>[] = []
  private isStale = true
  private readonly standby = new Standby()
  private ended = false
  private cancel = (): void => {}
  private readonly stopWatching: () => void
  private round: Promise<void> = Promise.resolve()

  constructor(parts: RunnerParts) {
    this.parts = parts
    this.stopWatching = parts.lock.registry.watch(
      () => (this.isStale = true),
      () => (this.isStale = true),
      drillPrefix,
    )
    this.wake()
  }

  /** Looks at all of them once. */
  look(): Promise<void> {
    this.round = this.round.then(() => this.lookOnce())
    return this.round
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ended = true
    this.cancel()
    this.stopWatching()
    await this.round
  }

  private wake(): void {
    this.cancel = this.parts.clock.after(everyMs, () => {
      void this.look().then(() => {
        if (!this.ended) this.wake()
      })
    })
  }

  private async lookOnce(): Promise<void> {
    if (this.ended) return
    const { lock, clock } = this.parts
    try {
      if (this.isStale) {
        this.isStale = false
        this.known = await listDrills(lock)
      }
      if (lock.isHeld) {
        this.standby.forget()
        for (const one of this.known) await this.lookAt(one)
      } else {
        // Whoever runs them remembers what this gateway did before.
        this.watches.clear()
        await this.standby.look(lock, this.known, clock.now())
      }
    } catch (cause) {
      this.isStale = true
      // The leases end by themselves.
      if (!(cause instanceof RegistryUnavailable)) this.parts.fault(cause)
    }
  }

  private async lookAt(one: Versioned<Drill>): Promise<void> {
    const { state, run, nextAt } = one.value
    try {
      if (state === 'running' && run !== null) await this.attend(one, run)
      else if (state === 'restoring' && run !== null) await this.restore(one, run)
      else if (state === 'scheduled' && nextAt !== null && nextAt <= this.parts.wallNow()) {
        await this.parts.guarded.run(() => this.begin(one))
      }
    } catch (cause) {
      if (cause instanceof RegistryUnavailable) throw cause
      // All others are looked after all the same.
      this.isStale = true
      this.parts.fault(cause)
    }
  }

  private async attend(one: Versioned<Drill>, run: DrillRun): Promise<void> {
    const { wallNow, measured, drills, snapshot } = this.parts
    const { registry } = this.parts.lock
    const drill = one.value
    const { measures, isHeard, heardTo } = await drills.read(drill.id)
    const now = wallNow()
    const { changes, alive, leftMs } = await ownLeases(registry, drill, now, now + leaseMs)
    if ((await registry.read(drillLeverKey)) !== null) {
      await this.end(one, { ending: 'lever', detail: '' })
    } else if (now >= run.endsAt) {
      if (heardTo >= run.endsAt) await this.end(one, { ending: 'time', detail: '' })
      // Others tell what they measured every two seconds.
      else if (now >= run.endsAt + heardLateMs) await this.end(one, gone)
    } else if (!alive || (measures?.timeline.faultOff ?? Infinity) < now - everyMs) {
      // Whoever acts upon them saw them end.
      await this.end(one, gone)
    } else {
      const heard = isHeard ? measures : null
      const stop = this.watchOf(drill).look(drill, snapshot(), await measured.read(), heard)
      if (stop !== null) await this.end(one, stop)
      // Somebody who took one away has ended the drill; that is seen the next time.
      else if (leftMs < renewBelowMs) await registry.commit(changes)
    }
  }

  private async end(one: Versioned<Drill>, { ending, detail }: Stop): Promise<void> {
    const { wallNow, lock } = this.parts
    const { changes } = await ownLeases(lock.registry, one.value, wallNow(), null)
    await this.take(one, { kind: 'end', ending, detail }, `drill.end`, changes)
  }

  private async restore(one: Versioned<Drill>, run: DrillRun): Promise<void> {
    const { drills, wallNow } = this.parts
    const drill = one.value
    const isLate = wallNow() - (run.endedAt ?? 0) > restoringAtMostMs
    const told = await drills.read(drill.id)
    if (!isLate && told.inForce) return
    const audit = await auditReferences(this.parts.lock.registry, drill)
    const measured = reportOf(drill, run, told.measures, this.watchOf(drill).donorUse, audit)
    const endedAt = run.endedAt ?? run.endsAt
    const report = withGateways(measured, told.gateways, endedAt, wallNow())
    this.watches.delete(drill.id)
    const key = drillReportPrefix + drill.id
    const before = await this.parts.lock.registry.read(key)
    await this.take(one, { kind: 'restored' }, 'drill.report', [
      { key, value: report, expectedVersion: before?.version ?? 0 },
      // The two are written together, so that one is there where the other is.
      ...(before === null ? [resultWrite(resultOf(report, run, this.parts.snapshot().homes))] : []),
    ])
  }

  /** By its schedule. What speaks against it then nobody is there to overrule. */
  private async begin(one: Versioned<Drill>): Promise<void> {
    const { wallNow, foresee, aheadMs, hearAgain } = this.parts
    const { registry } = this.parts.lock
    const drill = one.value
    // Where another guarded change is quicker nothing is written, and the next look judges anew.
    const turn = await nextTurn(registry)
    await hearAgain()
    const facts = await foresee(
      drill,
      this.known.map(({ value }) => value),
    )
    const objections = objectionsTo(drill, facts)
    // With more traffic than when it was scheduled it may have become wide.
    const isUnapproved = drill.approver === null && needsApproval(drill, facts.radius, facts.settings)
    const now = wallNow()
    // Nobody was here when its window was open.
    const isMissed = drill.schedule !== null && !mayBegin(drill.schedule, now)
    const run = startOf(drill, now, aheadMs())
    const leases =
      isMissed || objections.length > 0 || isUnapproved
        ? null
        : await newLeases(registry, drill, { ...run, ...notEnded }, now)
    if (leases !== null) {
      await this.take(one, { kind: 'start', run }, 'drill.start', [turn, ...leases])
      return
    }
    const names = new Set(objections.map(({ name }) => name))
    const why = [
      ...(isMissed ? ['its time was missed'] : []),
      ...drillObjections.filter((name) => names.has(name)),
      ...(isUnapproved ? ['another person has to approve it'] : []),
    ]
    const next =
      drill.schedule === null ? null : nextStart(drill.schedule, now + (isMissed ? 0 : retryScheduleMs))
    const by = { id: 'gateway', name: this.parts.gatewayId }
    const step: DrillStep = next === null ? { kind: 'abandon', by } : { kind: 'postpone', nextAt: next }
    await this.take(one, step, 'drill.postpone', [], why.join(', ') || 'home-busy')
  }

  private async take(
    { value: drill, version }: Versioned<Drill>,
    step: DrillStep,
    action: string,
    changes: readonly RegistryChange[],
    why: string | null = null,
  ): Promise<void> {
    const result = takeStep(drill, step, Math.floor(this.parts.wallNow()), false)
    this.isStale = true
    if (!result.ok) return
    const next = result.drill
    const written = await this.parts.changes.commit(
      {
        actor: { id: 'gateway', name: this.parts.gatewayId },
        from: 'local',
        action,
        target: `drills/${drill.id}`,
        reason: step.kind === 'end' ? `${step.ending} ${step.detail}`.trim() : why,
        before: { state: drill.state, run: drill.run },
        after: { state: next.state, run: next.run },
        outcome: 'done',
        detail: null,
      },
      // Where somebody was quicker, what they did is seen the next time.
      [{ key: drillPrefix + drill.id, value: next, expectedVersion: version }, ...changes],
    )
    if (written.ok && next.state !== drill.state) this.parts.moved?.(next)
  }

  private watchOf({ id }: Drill): Watch {
    let watch = this.watches.get(id)
    if (watch === undefined) {
      watch = new Watch(this.parts.mode)
      this.watches.set(id, watch)
    }
    return watch
  }
}

const gone: Stop = { ending: 'interrupted', detail: 'nobody put its leases off' }
const notEnded = { endedAt: null, ending: null, detail: '' } as const
