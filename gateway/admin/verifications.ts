// Verifications of enrolments under way and the last that ended: begun by an operator, written down when they end.
import type { z } from 'zod'
import { type Verifier, VerifierBusy } from '../control/verification/verifier.ts'
import { recordOf } from '../control/verification/verify.ts'
import { enrolmentPrefix, enrolmentSchema } from '../control/intent/enrolments.ts'
import type { RegistryChange } from '../control/registry/port.ts'
import { readTyped, type Versioned } from '../control/registry/typed.ts'
import type { AuditEntry } from '../model/audit.ts'
import type { Enrolment } from '../model/enrolment.ts'
import type { Operator } from '../model/operator.ts'
import type { VerificationProgress, VerificationReport } from '../model/verification.ts'
import { reportAnswer } from './schemas/enrolments.ts'
import { type Plane, timeText } from './plane.ts'
import { Problem } from './problem.ts'

export const reportPrefix = 'verifications/'

interface Running {
  readonly startedAt: number
  readonly by: string
  readonly progress: VerificationProgress[]
  readonly abort: AbortController
}

/** Whoever took the step, and where from. */
export interface Starter {
  readonly operator: Operator
  readonly from: string
}

/** Takes the step that a report allows, or says why not. */
export type TakeReport = (
  enrolment: Versioned<Enrolment>,
  report: VerificationReport,
  starter: Starter,
  /** Writes the report itself. */
  kept: RegistryChange,
) => Promise<void>

export interface VerificationsTold {
  note(entry: AuditEntry): Promise<void>
  /** A fault of our own. */
  fault(cause: unknown): void
}

export class Verifications {
  private readonly plane: Plane
  private readonly verifier: Verifier
  private readonly told: VerificationsTold
  private readonly running = new Map<string, Running>()

  constructor(plane: Plane, verifier: Verifier, told: VerificationsTold) {
    this.plane = plane
    this.verifier = verifier
    this.told = told
  }

  /** @throws {VerifierBusy} while one runs. */
  mustBeFree(): void {
    const [busy] = this.running.keys()
    if (busy !== undefined) throw new VerifierBusy(busy)
  }

  of(id: string): Running | null {
    return this.running.get(id) ?? null
  }

  stop(id: string): boolean {
    const running = this.running.get(id)
    running?.abort.abort()
    return running !== undefined
  }

  /** @throws {VerifierBusy} */
  start(enrolment: Enrolment, starter: Starter, take: TakeReport): void {
    this.mustBeFree()
    const abort = new AbortController()
    const progress: VerificationProgress[] = []
    const { signal } = abort
    const ended = this.verifier.verify(enrolment, { signal, progress: (event) => progress.push(event) })
    this.running.set(enrolment.id, {
      startedAt: this.plane.wallNow(),
      by: starter.operator.name,
      progress,
      abort,
    })
    void ended
      .then((report) => this.write(enrolment.id, report, starter, take))
      .catch((cause: unknown) => this.unwritten(enrolment.id, starter, cause))
      .catch((cause: unknown) => this.told.fault(cause))
      .finally(() => this.running.delete(enrolment.id))
  }

  /** Somebody was quicker, so that what was found out is of no use: their decision is no fault of ours. */
  private async unwritten(id: string, { operator, from }: Starter, cause: unknown): Promise<void> {
    if (!(cause instanceof Problem)) throw cause
    await this.told.note({
      actor: { id: operator.id, name: operator.name },
      from,
      action: 'enrolment.verify',
      target: `enrolments/${id}`,
      reason: null,
      before: null,
      after: null,
      outcome: 'refused',
      detail: `${cause.problem}: ${cause.message}`.slice(0, 1000),
    })
  }

  private async write(
    id: string,
    report: VerificationReport,
    starter: Starter,
    take: TakeReport,
  ): Promise<void> {
    const { registry } = this.plane
    const [enrolment, before] = await Promise.all([
      readTyped(registry, enrolmentPrefix + id, enrolmentSchema),
      registry.read(reportPrefix + id),
    ])
    if (enrolment === null || recordOf(report) === null) return
    const value = reportOf(report)
    await take(enrolment, report, starter, {
      key: reportPrefix + id,
      value,
      expectedVersion: before?.version ?? 0,
    })
  }
}

/** As it goes over the wire, and as it is kept. */
export const reportOf = ({
  startedAt,
  endedAt,
  ...report
}: VerificationReport): z.output<typeof reportAnswer> =>
  reportAnswer.parse({
    ...report,
    startedAt: timeText(startedAt),
    endedAt: timeText(endedAt),
  })
