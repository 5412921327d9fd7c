// One worker's place: its process, whether it serves, and who follows when it ends.
import cluster, { type Worker } from 'node:cluster'
import type { Logger } from 'pino'
import { UsageError } from '../model/errors.ts'
import { earlyEnds, respawnPauseMs } from '../policy/respawn.ts'
import { type Failed, type FromWorker, fromWorker, type ToWorker } from './messages.ts'

/** Whoever has the places. */
export interface Host {
  readonly logger: Logger
  /** Whether a worker that ended is followed by another: not before the first one has served. */
  readonly established: boolean
  /** A worker waits for its start order. */
  said(place: Place, message: FromWorker): void
  /** The worker of this place ended unasked. Its follower is started after this. */
  lost(place: Place): void
}

interface Life {
  readonly worker: Worker
  /** When it began to serve, by `performance.now()`. */
  readyAt: number | null
  failure: Failed | null
  /** Resolves with how it ended, such as `by SIGKILL`, once its last message has been read. */
  readonly end: Promise<string>
}

/** A pulse a second is expected; after so many missed the worker counts as silent, ms. */
const silentAfterMs = 3000

export class Place {
  readonly number: number
  /** What the worker says is amiss. */
  warnings: readonly string[] = []
  private readonly host: Host
  private life: Life | null = null
  private heardAt = 0
  private early = 0
  private retry: NodeJS.Timeout | undefined
  private closing = false

  constructor(number: number, host: Host) {
    this.number = number
    this.host = host
  }

  get ready(): boolean {
    return this.life !== null && this.life.readyAt !== null
  }

  /** Of its process; 0 where there is none. */
  get pid(): number {
    return this.life?.worker.process.pid ?? 0
  }

  /** How long nothing was heard of a worker that should serve, ms; 0 while that is no cause for worry. */
  get silentMs(): number {
    const silent = performance.now() - this.heardAt
    return this.ready && silent > silentAfterMs ? silent : 0
  }

  /** Starts a worker. Resolves once it serves; rejects with the reason if it ends before. */
  begin(): Promise<void> {
    const worker = cluster.fork()
    const life: Life = { worker, readyAt: null, failure: null, end: endOf(worker) }
    this.life = life
    this.warnings = []
    worker.on('error', (cause: Error) => this.host.logger.error(this.fields(life), String(cause)))
    return new Promise((resolve, reject) => {
      worker.on('message', (message: unknown) => {
        if (this.hear(life, message) === 'ready') resolve()
      })
      void life.end.then((how) => {
        reject(startFailure(this.number, life, how))
        this.ended(life, how)
      })
    })
  }

  send(message: ToWorker): void {
    const { life } = this
    if (life === null || !life.worker.isConnected()) return
    life.worker.send(message, (error: Error | null) => {
      // Its end, which is told of by itself, is what makes this fail.
      if (error !== null)
        this.host.logger.debug(this.fields(life), `${message.type} not delivered: ${error.message}`)
    })
  }

  ask(id: number): void {
    this.send({ type: 'copy-please', id })
  }

  askState(id: number): void {
    this.send({ type: 'state-please', id })
  }

  askDrills(id: number): void {
    this.send({ type: 'drills-please', id })
  }

  kill(): void {
    this.life?.worker.process.kill('SIGKILL')
  }

  /** Nobody follows from now on. Resolves when the worker has ended. */
  async close(): Promise<void> {
    this.closing = true
    clearTimeout(this.retry)
    const { life } = this
    if (life === null) return
    this.send({ type: 'drain' })
    await life.end
  }

  private hear(life: Life, raw: unknown): FromWorker['type'] | null {
    const parsed = fromWorker.safeParse(raw)
    if (!parsed.success) {
      this.host.logger.error(this.fields(life), `worker ${this.number} said what nobody understands`)
      return null
    }
    const message = parsed.data
    this.heardAt = performance.now()
    if (message.type === 'failed') life.failure = message
    else if (message.type === 'pulse') this.warnings = message.warnings
    else if (message.type === 'ready') life.readyAt = this.heardAt
    this.host.said(this, message)
    return message.type
  }

  private ended(life: Life, how: string): void {
    this.life = null
    this.warnings = []
    if (this.closing || !this.host.established) return
    this.early = earlyEnds(this.early, life.readyAt === null ? 0 : performance.now() - life.readyAt)
    const pause = respawnPauseMs(this.early)
    const why = life.failure === null ? '' : `: ${life.failure.message}`
    const next = pause === 0 ? 'replaced at once' : `replaced in ${pause} ms`
    this.host.logger.error(
      { ...this.fields(life), event: 'worker-ended', how },
      `worker ${this.number} (pid ${life.worker.process.pid}) ended ${how}${why}; ${next}`,
    )
    this.host.lost(this)
    // Also for a pause of 0: whoever waited for this start may decide to end everything first.
    this.retry = setTimeout(() => this.follow(), pause)
  }

  private follow(): void {
    // Its end before it serves is logged, and followed by the next, where it is noticed.
    this.begin().catch(() => {})
  }

  private fields(life: Life): { event: string; place: number; pid: number } {
    return { event: 'worker', place: this.number, pid: life.worker.process.pid ?? 0 }
  }
}

/** The system may tell of the end before the channel is read to its end; the last words matter. */
async function endOf(worker: Worker): Promise<string> {
  const exited = new Promise<string>((resolve) => {
    worker.once('exit', (code: number | null, signal: string | null) =>
      resolve(signal === null ? `with code ${code}` : `by ${signal}`),
    )
  })
  const silenced = new Promise<void>((resolve) => worker.once('disconnect', () => resolve()))
  const [how] = await Promise.all([exited, silenced])
  return how
}

/** What the first start's caller is told: the worker's own words where it had time for any. */
function startFailure(place: number, { failure }: Life, how: string): Error {
  if (failure === null) return new Error(`worker ${place} ended ${how} before it served`)
  if (failure.forPerson) return new UsageError(failure.message)
  const error = new Error(failure.message)
  error.stack = failure.stack
  return Object.assign(error, failure.code === undefined ? {} : { code: failure.code, port: failure.port })
}
