// What all gateways measured of drills: each keeps its own part in the registry, and whoever asks adds them up.
import type { Clock } from '../../model/clock.ts'
import type { DrillMeasures } from '../../policy/drill-measure.ts'
import { addedUp } from '../../policy/drill-measure-sum.ts'
import { agedOut, continued, type GatewayPart, type PartSpans, spansFrom } from '../../policy/drill-part.ts'
import { compareAndSet, type Registry, RegistryUnavailable } from '../registry/port.ts'
import { fromPartRecord, type KeptPart, partsOf, toPartRecord } from './part-record.ts'

/** Whoever can tell what is measured of a drill in this gateway: one process of itself, a primary of its workers. */
export interface DrillMeasured {
  read(drill: string): Promise<DrillMeasures | null>
  /** Whether residents are still in it, be it on their way back. */
  isInForce(drill: string): Promise<boolean>
}

/** What all gateways together know of a drill. */
export interface ToldOfDrill {
  /** `null` where nobody measured any of it. */
  readonly measures: DrillMeasures | null
  /** Whether somebody measures it now. */
  readonly isHeard: boolean
  /** Until when somebody measured it, wall-clock milliseconds since 1970; 0 where nobody did. */
  readonly heardTo: number
  /** Whether residents are still in it somewhere, be it on their way back. */
  readonly inForce: boolean
  /** Who took part, and when. */
  readonly gateways: readonly (GatewayPart & { readonly unheard: boolean })[]
}

export interface DrillsMeasuredByAll {
  /** @throws {RegistryUnavailable} */
  read(drill: string): Promise<ToldOfDrill>
}

export interface PartsParts {
  readonly registry: Registry
  readonly drills: DrillMeasured
  readonly clock: Clock
  /** Wall-clock milliseconds since 1970. */
  readonly wallNow: () => number
  /** This gateway's own name. */
  readonly gateway: string
  /** Ids of the drills whose leases are known. */
  readonly known: () => readonly string[]
  /** A fault of our own, or of whoever set us up. */
  readonly fault: (cause: unknown) => void
}

const lookEveryMs = 1000
const writeEveryMs = 2000
/** A gateway that has written nothing for so long is not waited for, and what it measured lately is not judged by, ms. */
const heardWithinMs = 10_000

/** This gateway's part of one drill. */
interface Own {
  /** Of the process before this one. */
  readonly before: KeptPart | null
  readonly spans: PartSpans
  version: number
  writtenAt: number
  isComplete: boolean
  /** How many of the timeline it had then. */
  moments: number
}

export class DrillParts implements DrillsMeasuredByAll, AsyncDisposable {
  private readonly parts: PartsParts
  private readonly own = new Map<string, Own>()
  private cancel = (): void => {}
  private ended = false
  private round: Promise<void> = Promise.resolve()

  constructor(parts: PartsParts) {
    this.parts = parts
    this.wake()
  }

  async read(drill: string): Promise<ToldOfDrill> {
    const { gateway, drills, wallNow } = this.parts
    const live = await this.live(drill)
    const kept = (await this.kept(drill)).filter((part) => live === null || part.gateway !== gateway)
    const now = wallNow()
    const fresh = kept.filter((part) => part.gateway !== gateway && now - part.to < heardWithinMs)
    const all = live === null ? kept : [...kept, live]
    const heard = live === null ? fresh : [...fresh, live]
    return {
      measures: addedUp(all.map((part) => (heard.includes(part) ? part.measures : agedOut(part.measures)))),
      isHeard: heard.length > 0,
      heardTo: Math.max(0, ...all.map(({ to }) => to)),
      // Of one moment with what is told of it: it may be over in the next.
      inForce: (live?.inForce ?? (await drills.isInForce(drill))) || fresh.some(({ inForce }) => inForce),
      gateways: all.map((part) => {
        const { gateway: name, from, to, missing, inForce } = part
        return { gateway: name, from, to, missing, unheard: inForce && part !== live }
      }),
    }
  }

  /** Looks once, and writes what is due. */
  look(): Promise<void> {
    this.round = this.round.then(() => this.lookOnce())
    return this.round
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ended = true
    this.cancel()
    await this.round
  }

  private wake(): void {
    this.cancel = this.parts.clock.after(lookEveryMs, () => {
      void this.look().then(() => {
        if (!this.ended) this.wake()
      })
    })
  }

  private async lookOnce(): Promise<void> {
    if (this.ended) return
    for (const drill of new Set([...this.parts.known(), ...this.own.keys()])) {
      try {
        await this.keep(drill)
      } catch (cause) {
        // Written the next time.
        if (!(cause instanceof RegistryUnavailable)) this.parts.fault(cause)
      }
    }
  }

  private async keep(drill: string): Promise<void> {
    const own = await this.ownOf(drill)
    const part = await this.live(drill)
    const isKnown = this.parts.known().includes(drill)
    if (part === null) {
      if (!isKnown) this.own.delete(drill)
      return
    }
    const now = this.parts.clock.now()
    const isLast = !part.inForce && !isKnown
    if (own.isComplete) {
      // Its report is written by whoever runs drills; another of that name does not come.
      if (now - own.writtenAt > 12 * heardWithinMs) this.own.delete(drill)
      return
    }
    const moments = Object.keys(part.measures.timeline).length
    // A moment comes once; a process that goes on from here must know of it.
    const isDue = isLast || moments !== own.moments || now - own.writtenAt >= writeEveryMs
    if (!isDue) return
    const key = partsOf(drill) + part.gateway
    const written = await compareAndSet(this.parts.registry, key, await toPartRecord(part), own.version)
    if (written.ok) {
      own.version = written.versions[0] ?? 0
      own.writtenAt = now
      own.moments = moments
      own.isComplete = isLast
      return
    }
    own.version = written.current?.version ?? 0
    if (written.current === null) return
    throw new Error(
      `another gateway writes ${key} too: each wants a dataDir of its own; remove gateway-name from the one that was copied`,
    )
  }

  private async ownOf(drill: string): Promise<Own> {
    const known = this.own.get(drill)
    if (known !== undefined) return known
    const record = await this.parts.registry.read(partsOf(drill) + this.parts.gateway)
    const before = record === null ? null : await fromPartRecord(record)
    const made = {
      before,
      spans: spansFrom(before, this.parts.wallNow()),
      version: record?.version ?? 0,
      writtenAt: -Infinity,
      isComplete: false,
      moments: 0,
    }
    this.own.set(drill, made)
    return made
  }

  /** This gateway's part as it is now; `null` where it takes none. */
  private async live(drill: string): Promise<KeptPart | null> {
    const { drills, gateway, wallNow } = this.parts
    const measured = await drills.read(drill)
    // One that was ended before the first look has been measured all the same.
    const own = this.own.get(drill) ?? (measured === null ? undefined : await this.ownOf(drill))
    if (own === undefined) return null
    const now = wallNow()
    const measures = own.before === null ? measured : continued(own.before.measures, measured)
    if (measures === null) return null
    return { gateway, ...own.spans, to: now, inForce: await drills.isInForce(drill), measures }
  }

  private async kept(drill: string): Promise<readonly KeptPart[]> {
    const records = await this.parts.registry.list(partsOf(drill))
    return (await Promise.all(records.map(fromPartRecord))).filter((part) => part !== null)
  }
}
