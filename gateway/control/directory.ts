// Sources and intent in, one frozen snapshot out. The data plane reads the last one and waits for nobody.
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../model/clock.ts'
import { errorText } from '../model/errors.ts'
import type { Observer } from '../model/events.ts'
import type { Hold } from '../model/hold.ts'
import type { NodeId, RegionId } from '../model/ids.ts'
import type { CodeNode, Region } from '../model/region.ts'
import type { Home, Snapshot } from '../model/snapshot.ts'
import { type DiscoveryEffect, type Found, withFound } from '../policy/discovery.ts'
import { type EffectSettings, type EnrolmentEffect, withEnrolments } from '../policy/enrolment-effect.ts'
import { escalate } from '../policy/escalation.ts'
import { holdSteps, nodeHolds } from '../policy/holds.ts'
import { type Intent, intentPrefix, noIntent, readIntent } from './intent/read.ts'
import type { Registry } from './registry/port.ts'

/** Called with every new snapshot, in order, before the data plane sees it. */
export type SnapshotListener = (snapshot: Snapshot) => void

/** Longest pause until a lost registry is asked again, ms. */
const retryMs = 1000

export class Directory implements Disposable {
  private readonly registry: Registry
  private readonly clock: Clock
  private readonly observer: Observer
  private readonly wallNow: () => number
  private readonly enrolmentSettings: () => EffectSettings
  private readonly listener: SnapshotListener
  /** The file's. */
  private known: readonly Region[] = []
  private found: readonly Found[] = []
  private foundDrainMs = 0
  private discovered: DiscoveryEffect = { regions: [], drains: [], suspects: new Set(), warnings: [] }
  private moreWarnings: () => readonly string[] = () => []
  private effect: EnrolmentEffect = { regions: [], drains: [], nextChangeAt: null, warnings: [] }
  private snapshot: Snapshot = snapshotOf(0, [], noIntent)
  private intent: Intent = noIntent
  private version = 0
  private stopWatching = (): void => {}
  private cancelTimer = (): void => {}
  private reading: Promise<void> = Promise.resolve()
  private lostDetail: string | null = null
  private lostAt = 0
  private ended = false

  constructor(
    parts: {
      registry: Registry
      clock: Clock
      observer: Observer
      wallNow: () => number
      /** Read anew whenever enrolments are looked at. */
      enrolments: () => EffectSettings
    },
    listener: SnapshotListener,
  ) {
    this.registry = parts.registry
    this.clock = parts.clock
    this.observer = parts.observer
    this.wallNow = parts.wallNow
    this.enrolmentSettings = parts.enrolments
    this.listener = listener
  }

  /** The last snapshot. */
  get current(): Snapshot {
    return this.snapshot
  }

  /** What operators have decided, as it was last heard. */
  get decided(): Intent {
    return this.intent
  }

  /** All regions, with what enrolments make of them now. */
  get regions(): readonly Region[] {
    return this.discovered.regions
  }

  /** What drains of enrolments and catalogues come to: holds that nobody has put. */
  get drains(): readonly Hold[] {
    return [...this.discovered.drains, ...this.effect.drains]
  }

  /** The file's regions alone. */
  get fileRegions(): readonly Region[] {
    return this.known
  }

  /** Why the registry can't be heard at present, or `null`. The last known intent is in force meanwhile. */
  get lost(): string | null {
    return this.lostDetail
  }

  /** Of the snapshot published last; 0 before the first. */
  get snapshotVersion(): number {
    return this.version
  }

  /** Wall-clock ms since which it can't be heard; of no meaning while it can. */
  get lostSince(): number {
    return this.lostAt
  }

  /** What is amiss with the registry or what stands in it, one line each. */
  get warnings(): readonly string[] {
    const lost = this.lostDetail === null ? [] : [`registry lost: ${this.lostDetail}`]
    return [...lost, ...this.moreWarnings(), ...this.discovered.warnings, ...this.effect.warnings]
  }

  /** Publishes the regions at once, then follows the registry. Resolves after its first word or failure. */
  async start(regions: readonly Region[]): Promise<void> {
    this.stopWatching = this.registry.watch(
      () => void this.read(),
      (cause) => this.registryLost(cause),
      intentPrefix,
    )
    this.known = regions
    await this.read()
    if (this.version > 0) return
    this.arrange()
    this.publish()
  }

  replaceRegions(regions: readonly Region[]): void {
    this.known = regions
    this.arrange()
    this.publish()
    this.wakeForNext()
  }

  /** Takes over what catalogues list. @param drainMs How long nodes that are gone are kept. */
  replaceFound(found: readonly Found[], drainMs: number): void {
    this.found = found
    this.foundDrainMs = drainMs
    if (this.version === 0 || !this.arrange()) return
    this.publish()
    this.wakeForNext()
  }

  /** Tells these warnings too, whenever somebody asks for them. */
  alsoWarn(warnings: () => readonly string[]): void {
    this.moreWarnings = warnings
  }

  /** Reads intent anew; readings never overlap, so that an older one can't overwrite a newer. */
  read(): Promise<void> {
    this.reading = this.reading.then(() => this.readOnce())
    return this.reading
  }

  [Symbol.dispose](): void {
    this.ended = true
    this.stopWatching()
    this.cancelTimer()
  }

  private async readOnce(): Promise<void> {
    if (this.ended) return
    try {
      const intent = readIntent(await this.registry.list(intentPrefix), this.wallNow())
      const { unreadable } = intent
      if (unreadable.length > 0) throw new Error(`unreadable records: ${unreadable.join(', ')}`)
      const before = this.intent
      if (isDeafening(before, intent, this.wallNow()))
        throw new Error('a drill plays that the registry is lost')
      this.intent = intent
      if (this.lostDetail !== null) {
        this.lostDetail = null
        this.observer.registryBack()
      }
      const moved = this.arrange()
      // What else is kept in the registry, such as the audit log, changes more often.
      const isFirst = this.version === 0
      if (isFirst || moved || !isDeepStrictEqual(before, intent)) this.publish()
      // Those of before the start are no news.
      if (!isFirst) this.tellHolds(before)
      this.wakeForNext()
    } catch (cause) {
      this.registryLost(cause)
    }
  }

  private tellHolds(before: Intent): void {
    for (const { hold, step } of holdSteps(before.holds, this.intent.holds, this.wallNow())) {
      this.observer.holdChanged(hold, step)
    }
  }

  private registryLost(cause: unknown): void {
    if (this.ended) return
    const detail = errorText(cause)
    if (this.lostDetail === null) {
      this.lostAt = this.wallNow()
      this.observer.registryLost(detail)
    }
    this.lostDetail = detail
    // Leases, hours and validity go on without a registry: nothing lasts longer than was decided.
    const ended = this.endLeases()
    if (this.version > 0 && (this.arrange() || ended)) this.publish()
    this.cancelTimer()
    this.wakeIn(retryMs)
  }

  /** Ends holds whose time is over, where nobody can be asked. @returns Whether there were any. */
  private endLeases(): boolean {
    const before = this.intent
    const holds = before.holds.filter(({ expiresAt }) => expiresAt > this.wallNow())
    if (holds.length === before.holds.length) return false
    this.intent = { ...before, holds }
    if (this.version > 0) this.tellHolds(before)
    return true
  }

  /** Looks at the enrolments anew. @returns Whether they come to something else than before. */
  private arrange(): boolean {
    const before = this.effect
    const stood = this.discovered
    const { enrolments } = this.intent
    const now = this.wallNow()
    this.effect = withEnrolments(this.known, enrolments, now, this.enrolmentSettings())
    // Last, so that nobody who may register a service can take an enrolled donor's name or place.
    this.discovered = withFound(this.effect.regions, this.found, now, this.foundDrainMs)
    if (stood.regions === this.discovered.regions) return false
    return !isDeepStrictEqual(
      [stood.regions, before.drains, stood.drains, stood.suspects],
      [this.discovered.regions, this.effect.drains, this.discovered.drains, this.discovered.suspects],
    )
  }

  /** A lost registry is asked again soon, whatever would change by itself. */
  private wakeForNext(): void {
    if (this.lostDetail !== null) return
    this.cancelTimer()
    const moments = [this.intent.nextChangeAt, this.effect.nextChangeAt].filter((at) => at !== null)
    if (moments.length > 0) this.wakeIn(Math.min(...moments) - this.wallNow() + 1)
  }

  private wakeIn(delayMs: number): void {
    // setTimeout takes at most 2^31 - 1 ms; a longer lease is looked at again on the way.
    this.cancelTimer = this.clock.after(Math.min(Math.max(delayMs, 1), 2_147_483_647), () => void this.read())
  }

  private publish(): void {
    this.version += 1
    const { regions } = this.discovered
    const intent = { ...this.intent, holds: [...this.intent.holds, ...this.drains] }
    const snapshot = snapshotOf(this.version, regions, intent, this.discovered.suspects)
    this.snapshot = snapshot
    this.listener(snapshot)
    this.observer.snapshotApplied(snapshot.version, regions.length, snapshot.nodes.size)
  }
}

/** A drill of a lost registry is on: nothing is taken over but its own end. */
const isDeafening = (before: Intent, read: Intent, wallMs: number): boolean =>
  before.drills.some(
    ({ fault, faultAt, drill }) =>
      fault.kind === 'registry-loss' &&
      wallMs >= faultAt &&
      read.drills.some((lease) => lease.drill === drill),
  )

/** Pure: the same regions and intent give the same snapshot. */
export function snapshotOf(
  version: number,
  regions: readonly Region[],
  intent: Pick<Intent, 'holds' | 'mode'> & Partial<Pick<Intent, 'drills'>>,
  suspects: Snapshot['suspects'] = new Set(),
): Snapshot {
  const byCode = new Map<RegionId, Region>(regions.map((region) => [region.code, region]))
  const homes = new Map<string, Home>()
  const nodes = new Map<NodeId, CodeNode>()
  const lending = new Map(regions.map((region) => [region.code, region.lends]))
  for (const region of regions) {
    if (region.servesOwn) homes.set(region.code, Object.freeze(escalate(region, byCode)))
    for (const node of region.nodes) nodes.set(node.id, node)
  }
  const holds = nodeHolds(nodes.values(), intent.holds)
  const { mode, drills = [] } = intent
  return Object.freeze({ version, homes, nodes, lending, holds, suspects, mode, drills })
}
