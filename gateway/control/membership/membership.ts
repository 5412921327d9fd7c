// This gateway among those of its federation: in Consul's catalogue while it runs, and what stands there of the others.
import { AgentError, type ConsulAgent } from '../../../region-node/registration/agent.ts'
import type { Entry } from '../../../region-node/registration/entry.ts'
import { keepRegistered, type KeepTold, type Registration } from '../../../region-node/registration/keep.ts'
import { inRounds, type Pauses, pausesOf } from '../../../region-node/registration/rounds.ts'
import type { GatewayPeer, Peers } from '../../model/membership.ts'
import { version } from '../../model/version.ts'
import { authorityOf, catalogueSchema, gatewaysOf } from './catalogue-answer.ts'

export const gatewayService = 'chiyuan-gateway'

export interface MembershipParts {
  readonly agent: ConsulAgent
  readonly gatewayId: string
  /** Of the registry's keys: gateways that share it are one federation. */
  readonly prefix: string
  /** Name or IP address at which residents reach it. */
  readonly host: string
  /** Wall-clock milliseconds since 1970. */
  readonly wallNow: () => number
  readonly told: KeepTold
  /** Between looks at the others. Default: every 3 s. */
  readonly pauses?: Pauses
}

export interface OwnPlace {
  readonly publicPort: number
  readonly adminPort: number
  /** Why residents should not be sent here now, or `null`. */
  notReady(): string | null
}

/** How often Consul is told that it lives, ms. */
const reportEveryMs = 2000
/** Longer than a report that fails, its pause and the next, so that one slow answer makes nobody look dead. */
const silentForMs = 8000
/** A gateway that was killed and does not come back is told of for so long. */
const forgottenAfterMinutes = 60
/** How old what is told of the others may be, ms. */
const lookEveryMs = 3000

export class Membership implements AsyncDisposable {
  private readonly parts: MembershipParts
  private readonly ended = new AbortController()
  private joined: {
    readonly own: GatewayPeer
    readonly place: OwnPlace
    readonly registration: Registration
    readonly looking: Promise<void>
  } | null = null
  private seen: readonly GatewayPeer[] = []
  private seenAt: number
  private stale: Peers['stale'] = null
  private leaving: Promise<void> | undefined

  constructor(parts: MembershipParts) {
    this.parts = parts
    this.seenAt = parts.wallNow()
  }

  /** Once it serves residents and operators. Whether Consul is there is no hindrance. */
  join(place: OwnPlace): void {
    const { agent, told } = this.parts
    const since = new Date(this.parts.wallNow()).toISOString()
    const entry = this.entryOf(place, since)
    const registration = keepRegistered(agent, entry, told, () => place.notReady(), pausesOf(reportEveryMs))
    const own: GatewayPeer = {
      id: entry.id,
      gateway: this.parts.gatewayId,
      machine: null,
      address: authorityOf(entry.address, entry.port),
      adminPort: place.adminPort,
      since,
      version,
      health: 'passing',
      detail: '',
      own: true,
    }
    this.seenAt = this.parts.wallNow()
    this.joined = { own, place, registration, looking: this.keepLooking() }
  }

  /** At once, whether Consul answers or not. */
  get peers(): Peers {
    return { gateways: this.all(), stale: this.stale }
  }

  /** Why the gateways may not see each other; none while they do. */
  get warnings(): readonly string[] {
    if (this.stale === null) return []
    const since = new Date(this.stale.since).toISOString()
    return [`the other gateways are told of as they were seen at ${since}: ${this.stale.detail}`]
  }

  /** Takes it out of the catalogue; resolves once that is done or can't be. Never rejects. */
  leave(): Promise<void> {
    return (this.leaving ??= this.leaveNow())
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.leave()
  }

  private async leaveNow(): Promise<void> {
    this.ended.abort()
    await this.joined?.registration.leave()
    // Ends a look that is under way, too.
    await this.parts.agent[Symbol.asyncDispose]()
    await this.joined?.looking
  }

  private entryOf({ publicPort, adminPort }: OwnPlace, since: string): Entry {
    const { gatewayId, prefix, host } = this.parts
    return {
      service: gatewayService,
      // Those that stand side by side share `gatewayId`, and an agent perhaps.
      id: `${gatewayService}-${gatewayId}-${authorityOf(host, publicPort)}`,
      address: host,
      port: publicPort,
      meta: { gateway: gatewayId, adminPort: String(adminPort), version, prefix, since },
      // By its own word: an agent elsewhere could not ask a listener for operators that is this machine's alone.
      check: { kind: 'ttl', withinMs: silentForMs },
      forgottenAfterMinutes,
    }
  }

  private all(): readonly GatewayPeer[] {
    if (this.joined === null) return []
    const { own, place } = this.joined
    const machine = this.seen.find((one) => one.own)?.machine ?? null
    const ill = place.notReady()
    // Of itself it knows better than Consul.
    const itself: GatewayPeer = {
      ...own,
      machine,
      ...(ill !== null && { health: 'critical', detail: ill }),
    }
    const others = this.seen.filter((one) => !one.own)
    return [itself, ...others].toSorted((a, b) => (order(a) < order(b) ? -1 : 1))
  }

  private keepLooking(): Promise<void> {
    const told = {
      lost: (detail: string) => void (this.stale = { since: this.seenAt, detail }),
      back: () => void (this.stale = null),
    }
    return inRounds(() => this.look(), this.parts.pauses ?? pausesOf(lookEveryMs), told, this.ended.signal)
  }

  private async look(): Promise<void> {
    const { agent, prefix } = this.parts
    const what = 'show the gateways'
    // Any server's word will do, also without a leader.
    const answer = await agent.ask('GET', `/health/service/${gatewayService}?stale`)
    if (answer.status !== 200) throw agent.unexpected(what, answer)
    const catalogue = catalogueSchema.safeParse(jsonOf(answer.text))
    if (!catalogue.success) throw agent.unexpected(what, answer)
    const own = this.joined?.own
    if (own === undefined) return
    const gateways = gatewaysOf(catalogue.data, prefix, own)
    // A token without rights is told of an empty catalogue.
    if (!gateways.some((one) => one.own)) {
      throw new AgentError(
        `Consul shows no ${gatewayService} of ${prefix}, not even this one; see whether the token may write service ${gatewayService} and read nodes`,
      )
    }
    this.seen = gateways
    this.seenAt = this.parts.wallNow()
  }
}

const order = ({ address, machine, since }: GatewayPeer): string => `${address} ${machine ?? ''} ${since}`

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
