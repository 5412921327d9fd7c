// One gateway among those that share donors' quotas: looks at the ledger every few seconds, and tells what it may lend.
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../../model/clock.ts'
import { errorText } from '../../model/errors.ts'
import type { PledgeShare, QuotaSharing } from '../../model/quota-sharing.ts'
import type { Rates } from '../../model/quota-shares.ts'
import type { Pledge, Pledges } from '../../policy/pledges.ts'
import { steadyDemand } from '../../policy/quota.ts'
import { QuotaMember } from '../../policy/quota-federation.ts'
import type { LeaseTerms } from '../../policy/quota-ledger.ts'
import { compareAndSet, type Registry, RegistryUnavailable } from '../registry/port.ts'
import { readTyped } from '../registry/typed.ts'
import { ledgerKey, ledgerRecord, ledgerSchema } from './ledger-record.ts'
import { Slept } from './slept.ts'

export interface FederationParts {
  readonly registry: Pick<Registry, 'read' | 'commit'>
  readonly clock: Pick<Clock, 'after'>
  /** Monotonic ms, the same in all processes of this machine. */
  readonly now: () => number
  /** Wall-clock milliseconds since 1970. */
  readonly wallNow: () => number
  /** 0 to below 1. */
  readonly random: () => number
  readonly terms: LeaseTerms
  /** This gateway's name among the others. */
  readonly id: string
  /** One that nobody has. */
  readonly freshName: () => string
  /** Told what an operator should know of, once each time. */
  readonly say: (level: 'info' | 'warn', text: string) => void
}

/** Others may write at the same moment; then it is looked again, so often at the most in one round. */
const triesAtMost = 5

export class QuotaFederation implements AsyncDisposable {
  private readonly parts: FederationParts
  private readonly slept: Slept
  private member: QuotaMember
  private pledges: Pledges = {}
  private demands: Record<string, number> = {}
  private inUse: Record<string, number> = {}
  private gateways = 0
  private lost: { readonly since: number; readonly detail: string } | null = null
  private changed = (): void => {}
  /** What `changed` was called for last. */
  private told: Readonly<Record<string, Pledge>> = {}
  /** It stands in the ledger, as far as it knows. */
  private hasJoined = false
  private cancel = (): void => {}
  private round: Promise<void> = Promise.resolve()
  private ended = false
  /** How long this machine has stood still in all, ms. */
  private sleptMs = 0

  constructor(parts: FederationParts) {
    this.parts = parts
    this.member = new QuotaMember(parts.id, parts.freshName(), parts.terms)
    this.slept = new Slept(parts.now(), parts.wallNow())
  }

  /** When the shares end unless the lease is renewed, and when the floors do, by `now`. */
  get ends(): { readonly leaseAt: number; readonly forgottenAt: number } {
    return { leaseAt: this.member.leaseEndsAt, forgottenAt: this.member.forgottenAt }
  }

  start(): void {
    this.look()
  }

  /** What donors lend in all, as this gateway knows it. */
  usePledges(pledges: Pledges): void {
    this.pledges = pledges
    this.member.pledged(pledges)
    this.told = this.shares()
    this.changed()
  }

  /** @param changed Called when shares change at once; they also end with the lease, by time alone. */
  watch(changed: () => void): void {
    this.changed = changed
  }

  /** What this gateway may lend of a pledge now; `undefined` where it is not bounded. */
  share(name: string): number | undefined {
    const pledge = this.pledges[name]
    return pledge === undefined ? undefined : this.member.share(name, pledge, this.parts.now())
  }

  /** All shares, to be divided further. */
  shares(): Record<string, Pledge> {
    return this.each((name, pledge) => ({
      amount: this.member.share(name, pledge, this.parts.now()),
      whole: pledge.whole,
    }))
  }

  /** What is left of each when the lease has ended. */
  floors(): Record<string, number> {
    return this.each((name, pledge) => this.member.floor(name, pledge))
  }

  /** To be called once a second. See {@link QuotaShares.report}. */
  report(demands: Rates, inUse: Rates): void {
    const names = Object.keys(this.pledges)
    this.demands = Object.fromEntries(
      names.map((name) => [name, steadyDemand(this.demands[name] ?? 0, demands[name] ?? 0)]),
    )
    this.inUse = { ...inUse }
    this.awake()
  }

  readings(): QuotaSharing {
    const pledges: PledgeShare[] = Object.entries(this.pledges).map(([name, { amount }]) => ({
      pledge: name,
      amount,
      share: this.share(name) ?? 0,
    }))
    const lost = pledges.length > 0 ? this.lost : null
    return { state: this.state, lost, gateways: this.gateways, leaseMs: this.leaseMs, pledges }
  }

  /** What is amiss, one line each. */
  get warnings(): readonly string[] {
    if (Object.keys(this.pledges).length === 0) return []
    const { lost, state } = this
    const holds = {
      shared: null,
      'last-share': `it keeps its last shares for another ${Math.ceil(this.leaseMs / 1000)} s`,
      reserved: 'its lease has ended, and it keeps the minimum that is reserved for it',
      none: 'it has no share and lends nothing of bounded pledges',
    }[state]
    if (lost === null || holds === null) return []
    const since = new Date(lost.since).toISOString()
    return [`donors' quotas: cut off from the other gateways since ${since}; ${holds} (${lost.detail})`]
  }

  /** Gives its part back to the others, where they can be told; else it is free when its lease has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.ended = true
    this.cancel()
    // Whoever can't be reached is not waited for.
    if (this.lost !== null) return
    await this.round
    if (!this.hasJoined || this.lost !== null) return
    try {
      await this.write((ledger) => this.member.leave(ledger))
    } catch (cause) {
      this.parts.say(
        'warn',
        `donors' quotas: this gateway's share could not be given back: ${errorText(cause)}`,
      )
    }
  }

  private get leaseMs(): number {
    return Math.max(0, Math.min(this.member.leaseEndsAt - this.parts.now(), this.parts.terms.leaseMs))
  }

  private get state(): QuotaSharing['state'] {
    const now = this.parts.now()
    if (now >= this.member.forgottenAt) return 'none'
    if (now >= this.member.leaseEndsAt) return 'reserved'
    return this.lost === null ? 'shared' : 'last-share'
  }

  private each<T>(to: (name: string, pledge: Pledge) => T): Record<string, T> {
    return Object.fromEntries(Object.entries(this.pledges).map(([name, pledge]) => [name, to(name, pledge)]))
  }

  private look(): void {
    this.round = this.lookOnce().finally(() => {
      if (this.ended) return
      // Not all at one moment, whoever was started together.
      const pauseMs = this.parts.terms.roundMs * (0.9 + 0.2 * this.parts.random())
      this.cancel = this.parts.clock.after(pauseMs, () => this.look())
    })
  }

  private async lookOnce(): Promise<void> {
    this.awake()
    // With nothing to share nobody is asked.
    if (!this.hasJoined && Object.keys(this.pledges).length === 0) {
      this.lost = null
      return
    }
    try {
      await this.write((ledger) => {
        const { pledges, demands, inUse } = this
        const next = this.member.plan(ledger, { pledges, demands, inUse, now: this.parts.now() })
        // What is given up is given up before anybody is told.
        this.tell()
        return next
      })
      if (this.member.isDoubled) this.takeAnotherName()
      this.back()
    } catch (cause) {
      this.cutOff(errorText(cause))
    }
  }

  /** @throws {RegistryUnavailable} Whether it was written is not known then. */
  private async write(
    plan: (ledger: Parameters<QuotaMember['plan']>[0]) => ReturnType<QuotaMember['plan']>,
  ): Promise<void> {
    for (let i = 0; i < triesAtMost; i++) {
      const read = await readTyped(this.parts.registry, ledgerKey, ledgerSchema)
      const next = plan(read?.value ?? null)
      this.gateways = Object.keys((next ?? read?.value)?.members ?? {}).length
      if (next === null) return
      const sentAt = this.parts.now()
      const { sleptMs } = this
      const written = await compareAndSet(
        this.parts.registry,
        ledgerKey,
        ledgerRecord(next),
        read?.version ?? 0,
      )
      if (!written.ok) continue
      if (this.ended) return
      this.awake()
      this.member.written(next, sentAt - (this.sleptMs - sleptMs))
      this.member.pledged(this.pledges)
      this.hasJoined = next.members[this.member.id] !== undefined
      // From this moment on it may be using it.
      for (const [name, { amount }] of Object.entries(this.shares())) {
        this.inUse[name] = Math.max(this.inUse[name] ?? 0, amount)
      }
      this.tell()
      return
    }
    throw new RegistryUnavailable('the other gateways write what they hold all the time')
  }

  /** Tells of shares that differ from those that were told last. */
  private tell(): void {
    const shares = this.shares()
    if (isDeepStrictEqual(shares, this.told)) return
    this.told = shares
    this.changed()
  }

  private awake(): void {
    const sleptMs = this.slept.since(this.parts.now(), this.parts.wallNow())
    this.sleptMs += sleptMs
    this.member.slept(sleptMs)
  }

  private takeAnotherName(): void {
    const { terms, freshName, say } = this.parts
    say('warn', "donors' quotas: another gateway runs with a copy of this one's dataDir; this one joins anew")
    this.member = new QuotaMember(freshName(), freshName(), terms)
    this.tell()
  }

  private cutOff(detail: string): void {
    if (this.ended) return
    if (this.lost === null) {
      this.lost = { since: this.parts.wallNow(), detail }
      for (const warning of this.warnings) this.parts.say('warn', warning)
    }
    this.tell()
  }

  private back(): void {
    if (this.lost === null) return
    this.lost = null
    this.parts.say('info', "donors' quotas: shared with the other gateways again")
  }
}
