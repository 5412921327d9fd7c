// A worker: a whole data plane that takes its orders from the primary and tells it how it fares.
import cluster from 'node:cluster'
import type { Config } from '../../config/schema.ts'
import { type Gateway, startGateway } from '../compose.ts'
import { machineNow } from '../control/clock.ts'
import { errorText, UsageError } from '../model/errors.ts'
import { createLogger } from '../telemetry/log.ts'
import { EventPost } from './event-post.ts'
import { type Failed, type StartOrder, toWorker, type ToWorker } from './messages.ts'
import { Reporter } from './reporter.ts'
import { shareOfConfig } from './share-of-config.ts'
import { type QuotaReport, SharedQuotas } from './shared-quotas.ts'
import { tellPrimary } from './tell-primary.ts'

/** Runs until the primary says so or is gone. */
export function obeyPrimary(): void {
  // A terminal sends Ctrl-C to the whole group, a service manager SIGTERM to all: the primary decides for us.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
  // Node would end a worker in the middle of its answers when the primary is gone.
  if (cluster.worker !== undefined) cluster.worker.exitedAfterDisconnect = true
  const worker = new Worker()
  process.on('disconnect', () => void worker.drain())
  process.on('message', (message) => worker.obey(toWorker.parse(message)))
  void tellPrimary({ type: 'hello' })
}

interface Running {
  readonly gateway: Gateway
  readonly reporter: Reporter
  readonly quotas: SharedQuotas
}

class Worker {
  /** What comes before the data plane is up is obeyed after. */
  private starting: Promise<Running> | null = null
  private running: Running | null = null

  obey(message: ToWorker): void {
    if (message.type === 'drain') void this.drain()
    else if (message.type === 'start') void this.start(message)
    else void this.starting?.then((running) => follow(running, message))
  }

  /** Ends what is in flight, then the process. */
  async drain(): Promise<void> {
    // While it starts nobody is served.
    await this.running?.gateway.close()
    process.exit(0)
  }

  private async start(order: StartOrder): Promise<void> {
    this.starting = started(order)
    this.running = await this.starting
  }
}

async function started(order: StartOrder): Promise<Running> {
  const { worker, workers } = order
  try {
    const { config } = order
    const logger = createLogger(config.logLevel, config.logFormat).child({ worker })
    // Others may have what this gateway has not heard of yet.
    const unheardPart = config.registry.driver === 'consul' ? 0 : 1 / workers
    const say = (report: QuotaReport): void => void tellPrimary({ type: 'demand', ...report })
    const quotas = new SharedQuotas(order.shares, say, unheardPart, machineNow)
    const events = new EventPost(tellPrimary)
    const gateway = await startGateway(config, logger, {
      operators: false,
      quotas,
      tell: (happening) => events.post(happening),
      workers,
      part: (inForce) => shareOfConfig(inForce, workers),
    })
    const reporter = new Reporter(gateway)
    await tellPrimary({ type: 'ready', publicPort: gateway.publicPort })
    return { gateway, reporter, quotas }
  } catch (cause) {
    await tellPrimary(failure(cause))
    process.exit(1)
  }
}

function follow({ gateway, reporter, quotas }: Running, message: Exclude<ToWorker, StartOrder>): void {
  if (message.type === 'reload') reload(gateway, message.config)
  else if (message.type === 'shares') quotas.use(message.shares)
  else if (message.type === 'copy-please') void reporter.copy(message.id)
  else if (message.type === 'state-please') void reporter.state(message.id)
  else if (message.type === 'drills-please') void reporter.drills(message.id)
}

/** The primary has tried it; what fails here, such as a file taken away since, must not end what serves. */
function reload(gateway: Gateway, config: Config): void {
  try {
    gateway.reload(config)
  } catch (cause) {
    gateway.reloadRefused(errorText(cause))
  }
}

function failure(cause: unknown): Failed {
  const stack = cause instanceof Error ? (cause.stack ?? '') : ''
  const listener =
    cause instanceof Error && 'code' in cause && 'port' in cause
      ? { code: String(cause.code), port: Number(cause.port) }
      : {}
  return {
    type: 'failed',
    message: errorText(cause),
    stack,
    forPerson: cause instanceof UsageError,
    ...listener,
  }
}
