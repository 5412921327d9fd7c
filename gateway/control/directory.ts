// Sources and intent in, one frozen snapshot out. The data plane reads the last one and waits for nobody.
import { isDeepStrictEqual } from 'node:util'
import type { Clock } from '../model/clock.ts'
import { errorText } from '../model/errors.ts'
import type { Observer } from '../model/events.ts'
import type { NodeId, RegionId } from '../model/ids.ts'
import type { CodeNode, Region } from '../model/region.ts'
import type { Home, Snapshot } from '../model/snapshot.ts'
import { escalate } from '../policy/escalation.ts'
import { nodeHolds } from '../policy/holds.ts'
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
  private readonly listener: SnapshotListener
  private known: readonly Region[] = []
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
    parts: { registry: Registry; clock: Clock; observer: Observer; wallNow: () => number },
    listener: SnapshotListener,
  ) {
    this.registry = parts.registry
    this.clock = parts.clock
    this.observer = parts.observer
    this.wallNow = parts.wallNow
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

  /** All regions, also those without nodes. */
  get regions(): readonly Region[] {
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

  /** Publishes the regions at once, then follows the registry. Resolves after its first word or failure. */
  async start(regions: readonly Region[]): Promise<void> {
    this.stopWatching = this.registry.watch(
      () => void this.read(),
      (cause) => this.registryLost(cause),
    )
    this.known = regions
    await this.read()
    if (this.version === 0) this.publish()
  }

  replaceRegions(regions: readonly Region[]): void {
    this.known = regions
    this.publish()
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
      const { unreadable, nextChangeAt } = intent
      if (unreadable.length > 0) throw new Error(`unreadable records: ${unreadable.join(', ')}`)
      const before = this.intent
      if (isDeafening(before, intent, this.wallNow()))
        throw new Error('a drill plays that the registry is lost')
      this.intent = intent
      if (this.lostDetail !== null) {
        this.lostDetail = null
        this.observer.registryBack()
      }
      // What else is kept in the registry, such as the audit log, changes more often.
      if (this.version === 0 || !isDeepStrictEqual(before, intent)) this.publish()
      this.cancelTimer()
      if (nextChangeAt !== null) this.wakeIn(nextChangeAt - this.wallNow() + 1)
    } catch (cause) {
      this.registryLost(cause)
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
    this.cancelTimer()
    this.wakeIn(retryMs)
  }

  private wakeIn(delayMs: number): void {
    // setTimeout takes at most 2^31 - 1 ms; a longer lease is looked at again on the way.
    this.cancelTimer = this.clock.after(Math.min(Math.max(delayMs, 1), 2_147_483_647), () => void this.read())
  }

  private publish(): void {
    this.version += 1
    const snapshot = snapshotOf(this.version, this.known, this.intent)
    this.snapshot = snapshot
    this.listener(snapshot)
    this.observer.snapshotApplied(snapshot.version, this.known.length, snapshot.nodes.size)
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
): Snapshot {
  const byCode = new Map<RegionId, Region>(regions.map((region) => [region.code, region]))
  const homes = new Map<string, Home>()
  const nodes = new Map<NodeId, CodeNode>()
  const lending = new Map(regions.map((region) => [region.code, region.lends]))
  for (const region of regions) {
    homes.set(region.code, Object.freeze(escalate(region, byCode)))
    for (const node of region.nodes) nodes.set(node.id, node)
  }
  const holds = nodeHolds(nodes.values(), intent.holds)
  const { mode, drills = [] } = intent
  return Object.freeze({ version, homes, nodes, lending, holds, mode, drills })
}
