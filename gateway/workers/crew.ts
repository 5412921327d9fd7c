// All workers of a gateway: started, told, replaced, drained.
import cluster from 'node:cluster'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import type { Config } from '../../config/schema.ts'
import { Copies } from './copies.ts'
import { CrewDrills } from './crew-drills.ts'
import { CrewReadings } from './crew-readings.ts'
import type { Happening } from '../model/happening.ts'
import type { Rates } from '../model/quota-shares.ts'
import type { Readings } from '../model/readings.ts'
import { version } from '../model/version.ts'
import type { FromWorker } from './messages.ts'
import { type Host, Place } from './place.ts'
import type { Pledges } from '../policy/pledges.ts'
import { QuotaDesk } from './quota-desk.ts'
import { lapseOf, type Lapsing, type ToldShares } from './told-shares.ts'

const divideEveryMs = 1000
/** What a worker may take beyond its drain to close the rest, ms. Then it is killed. */
const closingMs = 2000

/*
 * Shared handle, not round-robin: all workers accept from one listening socket.
 * - A worker that is frozen or busy accepts nothing, so new residents never wait for it. Round-robin hands it one
 *   connection more, and where it is then killed that resident waits for ever: the primary never hears "accepted".
 *   Sockets of their own (SO_REUSEPORT) are worse: the kernel goes on giving a frozen worker its share, and a worker
 *   that ends resets all that wait in its queue.
 * - What waits in the queue outlives any worker.
 * - The primary touches no connection. Round-robin measured 85 us of the primary and 77 us more of a worker for each,
 *   so that the one process which must never be busy would bound the rate of new connections.
 * The price: connections that come one by one spread unevenly, so what is divided among workers must follow demand.
 */
cluster.schedulingPolicy = cluster.SCHED_NONE

/** What this gateway has of donors' pledges where it shares them with others. */
export interface SharedPledges extends Lapsing {
  report(demands: Rates, inUse: Rates): void
  watch(changed: () => void): void
}

export class Crew implements Host {
  readonly logger: Logger
  readonly copies: Copies
  readonly measured: CrewReadings
  private readonly happen: (happening: Happening, worker: number) => void
  readonly drills: CrewDrills
  private readonly places: readonly Place[]
  private readonly desk: QuotaDesk
  private config: Config
  private shared: SharedPledges | null = null
  private hasServed = false
  /** What the system chose for port 0. */
  private chosenPort = 0
  private readonly dividing: NodeJS.Timeout
  private readonly killAll = (): void => {
    for (const place of this.places) place.kill()
  }

  /** @param happened Told what the workers want operators to see. Must not throw. */
  constructor(
    config: Config,
    logger: Logger,
    workers: number,
    happened: (happening: Happening, worker: number) => void,
  ) {
    this.happen = happened
    this.config = config
    this.logger = logger
    this.places = Array.from({ length: workers }, (_, i) => new Place(i + 1, this))
    this.copies = new Copies(this.places, () => this.ready)
    this.measured = new CrewReadings(this.places, (missing) => this.unmeasured(missing))
    this.drills = new CrewDrills(this.places)
    this.desk = new QuotaDesk(workers, {})
    this.dividing = setInterval(() => this.divide(), divideEveryMs).unref()
    // Compiled files are .js, sources .ts.
    const exec = fileURLToPath(new URL(`worker-process${extname(import.meta.filename)}`, import.meta.url))
    cluster.setupPrimary({ exec, args: [] })
    // Whatever ends this process without a drain, a second signal or a fault, ends the workers at once.
    process.on('exit', this.killAll)
  }

  /** Workers that serve and were heard of lately. */
  get ready(): number {
    return this.places.filter((place) => place.ready && place.silentMs === 0).length
  }

  get established(): boolean {
    return this.hasServed
  }

  get publicPort(): number {
    return this.chosenPort
  }

  get warnings(): string[] {
    const missing = this.places.flatMap((place) => {
      if (!place.ready) return [`worker ${place.number} does not run`]
      if (place.silentMs === 0) return []
      return [`worker ${place.number} has been silent for ${Math.round(place.silentMs / 1000)} s`]
    })
    // What troubles all of them, such as a lost registry, is told once.
    return [...missing, ...new Set(this.places.flatMap(({ warnings }) => warnings))]
  }

  /**
   * Starts the first worker alone: it makes what all share, such as keys and the port, and what is wrong with
   * configuration or port is told once. Then the others. Resolves when each has served or ended once.
   */
  async start(): Promise<void> {
    const [first, ...others] = this.places
    await first?.begin()
    this.hasServed = true
    await Promise.allSettled(others.map((place) => place.begin()))
  }

  use(config: Config): void {
    this.config = { ...config, public: { ...config.public, port: this.config.public.port } }
    for (const place of this.places) place.send({ type: 'reload', config: this.config })
  }

  /** What donors lend now; to be told before the first worker starts. */
  usePledges(pledges: Pledges): void {
    this.desk.usePledges(pledges)
    this.tellShares()
  }

  /** Divides among the workers what this gateway has of pledges that it shares with other gateways, and no more. */
  share(pledges: SharedPledges): void {
    this.shared = pledges
    pledges.watch(() => this.usePledges(pledges.shares()))
    this.usePledges(pledges.shares())
  }

  /** Lets all workers end what they have in flight. @returns Places that had to be killed. */
  async close(): Promise<number[]> {
    clearInterval(this.dividing)
    const late: number[] = []
    const closed = this.places.map(async (place) => {
      const deadline = setTimeout(() => {
        late.push(place.number)
        place.kill()
      }, this.config.drainTimeoutMs + closingMs)
      await place.close()
      clearTimeout(deadline)
    })
    await Promise.all(closed)
    process.off('exit', this.killAll)
    return late
  }

  said(place: Place, message: FromWorker): void {
    if (message.type === 'hello') this.order(place)
    else if (message.type === 'ready') this.began(place, message.publicPort)
    else if (message.type === 'copy') this.copies.heard(place.number, message)
    else if (message.type === 'event') this.happened(place, message)
    else if (message.type === 'state') this.measured.heard(place.number, message.id, message.readings)
    else if (message.type === 'drills') this.drills.heard(place.number, message.id, message.drills)
    else if (message.type === 'demand') this.desk.report(place.number, message, performance.now())
  }

  lost(place: Place): void {
    this.desk.ended(place.number)
    this.measured.ended(place.number)
    this.drills.ended(place.number)
    this.copies.metrics.workerEnded(place.number)
    this.copies.ended(place.number).catch((cause: unknown) => {
      this.logger.error({ event: 'worker' }, `counts of worker ${place.number} are lost: ${String(cause)}`)
    })
    // With the last worker the socket is closed. Whoever follows opens the port that residents know, not another one.
    if (this.chosenPort !== 0 && this.places.every(({ ready }) => !ready)) this.config = this.onPort()
  }

  private order(place: Place): void {
    const { number } = place
    this.desk.began(number)
    place.send({
      type: 'start',
      worker: number,
      workers: this.places.length,
      config: this.config,
      shares: this.toldTo(number),
    })
  }

  private began(place: Place, port: number): void {
    if (this.chosenPort === 0) this.chosenPort = port
    else if (port !== this.chosenPort) {
      // It asked for any port after the last of the others had ended.
      this.logger.warn({ event: 'worker' }, `worker ${place.number} listens on ${port}; it is started again`)
      this.config = this.onPort()
      place.kill()
    }
    const { number, pid } = place
    this.logger.info({ event: 'worker-ready', place: number, pid }, `worker ${number} (pid ${pid}) serves`)
  }

  private happened({ number }: Place, { happening, lost }: Extract<FromWorker, { type: 'event' }>): void {
    if (lost > 0)
      this.logger.warn(
        { event: 'worker', place: number, lost },
        `${lost} events of worker ${number} are lost`,
      )
    this.happen(happening, number)
  }

  /** What is left to tell while no worker answers. */
  private unmeasured(missing: readonly number[]): Readings {
    const { gatewayId, mode } = this.config
    return {
      at: Date.now(),
      gateway: {
        id: gatewayId,
        version,
        snapshotVersion: 0,
        mode,
        registryLost: null,
        quotaSharing: null,
        protection: 'normal',
        workers: { ready: 0, of: this.places.length, missing },
        uptimeSeconds: process.uptime(),
      },
      nodes: [],
      homes: [],
    }
  }

  private onPort(): Config {
    return { ...this.config, public: { ...this.config.public, port: this.chosenPort } }
  }

  private divide(): void {
    if (this.shared !== null) {
      this.shared.report(this.desk.demands, this.desk.inUse)
      // The lease may have ended.
      this.desk.usePledges(this.shared.shares())
    }
    this.desk.divide(performance.now())
    this.tellShares()
  }

  private tellShares(): void {
    for (const place of this.places) {
      // One that is silent keeps what it has, and its queue of messages must not grow.
      if (!place.ready || place.silentMs > 0) continue
      const isBounded = Object.keys(this.desk.sharesOf(place.number)).length > 0
      if (isBounded) place.send({ type: 'shares', shares: this.toldTo(place.number) })
    }
  }

  private toldTo(place: number): ToldShares {
    const message = this.desk.tell(place)
    return { ...message, lapse: this.shared === null ? null : lapseOf(this.shared, message.shares) }
  }
}
