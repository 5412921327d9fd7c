// Runs verifications one at a time: two ramps at once would prove neither donor, and this process serves residents too.
import type { Config } from '../../../config/schema.ts'
import type { Enrolment } from '../../model/enrolment.ts'
import type { VerificationProgress, VerificationReport } from '../../model/verification.ts'
import type { NodeConnector } from '../node-tls/connect.ts'
import { type VerificationSettings, verificationSettings } from './settings.ts'
import { verify } from './verify.ts'

/** Another verification is under way; `enrolment` says whose. */
export class VerifierBusy extends Error {
  override readonly name = 'VerifierBusy'
  readonly enrolment: string
  constructor(enrolment: string) {
    super(`the verification of enrolment ${enrolment} is under way; try again when it has ended`)
    this.enrolment = enrolment
  }
}

export class Verifier implements AsyncDisposable {
  private readonly connector: NodeConnector
  private readonly config: () => Pick<Config, 'enrolment'>
  private readonly ending = new AbortController()
  private running: { readonly enrolment: string; readonly end: Promise<unknown> } | null = null

  constructor(connector: NodeConnector, config: () => Pick<Config, 'enrolment'>) {
    this.connector = connector
    this.config = config
  }

  /** @throws {VerifierBusy} while another one runs. */
  async verify(
    enrolment: Enrolment,
    { progress, signal }: { signal: AbortSignal; progress: (event: VerificationProgress) => void },
  ): Promise<VerificationReport> {
    if (this.running !== null) throw new VerifierBusy(this.running.enrolment)
    const end = verify(enrolment, {
      connector: this.connector,
      progress,
      signal: AbortSignal.any([signal, this.ending.signal]),
      settings: settingsOf(this.config()),
    })
    this.running = { enrolment: enrolment.id, end: end.catch(() => {}) }
    try {
      return await end
    } finally {
      this.running = null
    }
  }

  /** Breaks off what runs. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.ending.abort()
    await this.running?.end
  }
}

const settingsOf = ({ enrolment }: Pick<Config, 'enrolment'>): VerificationSettings => ({
  ...verificationSettings,
  totalMs: enrolment.verificationRampMs,
  mostRps: enrolment.verificationRps,
  testResident: (home) => enrolment.testResident.replace('{home}', home),
})
