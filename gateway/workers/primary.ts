// A gateway of several processes, seen from outside like one: operators' listener here, residents' in the workers.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'
import type { Config } from '../../config/schema.ts'
import { adminApp } from '../admin/app.ts'
import { needsRestart, takenOver } from '../../config/restart.ts'
import { openAdmin } from '../admin/open.ts'
import type { Gateway } from '../compose.ts'
import { openOperatorsOf, ownState } from '../compose/operators.ts'
import type { Membership } from '../control/membership/membership.ts'
import { peppersOf } from '../control/pepper-file.ts'
import { openEvents, tellByPrimary } from '../compose/events.ts'
import { membershipWarnings, openMembership } from '../compose/membership.ts'
import { followIntent } from '../compose/primary-intent.ts'
import { pledgesOf } from '../policy/pledges.ts'
import { LogObserver } from '../telemetry/log.ts'
import { Crew } from './crew.ts'
import { GatewayShare } from './gateway-share.ts'

/** What a process needs of its gateway to run it, whether it is one or many. */
export type Running = Pick<
  Gateway,
  | 'publicPort'
  | 'adminPort'
  | 'firstToken'
  | 'logger'
  | 'measured'
  | 'events'
  | 'reload'
  | 'reloadRefused'
  | 'close'
>

/**
 * @param workers Worker processes, 2 or more.
 * @throws {UsageError} or the system's error, as a single process would.
 */
export async function startWorkers(initial: Config, logger: Logger, workers: number): Promise<Running> {
  await using started = new AsyncDisposableStack()
  ownState(initial, started)
  const membership = openMembership(initial, logger, started)
  let current = initial
  const events = started.use(openEvents(() => current))
  const crew = new Crew(initial, logger, workers, (happening, worker) => events.add(happening, worker))
  const log = started.use(new LogObserver(logger, tellByPrimary(events)))
  const reloadRefused = (what: 'configuration' | 'certificate', detail: string): void => {
    crew.copies.metrics.reloadRefused(what)
    log.reloadRefused(what, detail)
  }
  let closing: Promise<void> | null = null
  const notReady = (): string | null => {
    if (closing !== null) return 'the gateway is draining before it stops'
    return crew.ready === 0 ? 'no worker serves' : null
  }
  const share = new GatewayShare(crew, initial)
  const intent = await followIntent(initial, log, started, ({ lending }) =>
    share.usePledges(pledgesOf(lending)),
  )
  await share.begin(initial, intent.registry, logger, started)
  const measured = share.toldIn(crew.measured)
  const besides = () => [share.warnings, membershipWarnings(membership, intent.directory)].flat()
  const warnings = (): string[] => [
    ...new Set([crew.warnings, intent.directory.warnings, plane?.warnings() ?? [], besides()].flat()),
  ]
  const parts = { notReady, warnings, metrics: () => crew.copies.scrape() }
  const peers = () => membership?.peers ?? null
  const plane = initial.admin.api
    ? await openOperatorsOf(intent, log, { measured, peers, drills: crew.drills, events }, started)
    : null
  const admin = adminApp(parts, plane?.api ?? null)
  // Before the workers: operators are served whatever becomes of those.
  const adminPort = await openAdmin(initial, admin, { reloadRefused }, started)
  started.defer(async () => endCrew(crew))
  await crew.start()
  membership?.join({ publicPort: crew.publicPort, adminPort, notReady })
  const begun = started.move()
  return {
    publicPort: crew.publicPort,
    adminPort,
    firstToken: plane?.firstToken ?? null,
    logger,
    measured,
    events,
    reload(next) {
      // Where it can't be used, no worker hears of the change.
      peppersOf(next)
      const stale = needsRestart(current, next)
      current = next
      // A worker that starts later must not differ from the others in what they read once.
      const taken = takenOver(next, initial)
      intent.reload(taken)
      crew.use(taken)
      return stale
    },
    reloadRefused: (detail) => reloadRefused('configuration', detail),
    close: () => (closing ??= closeAfterNotice(begun, membership, initial.drainNoticeMs)),
  }
}

async function closeAfterNotice(
  parts: AsyncDisposableStack,
  membership: Membership | null,
  noticeMs: number,
): Promise<void> {
  // Waited for where it is disposed of.
  void membership?.leave()
  await sleep(noticeMs)
  await parts.disposeAsync()
}

async function endCrew(crew: Crew): Promise<void> {
  const killed = await crew.close()
  if (killed.length > 0) {
    throw new Error(`workers that did not end within the drain were killed: ${killed.join(', ')}`)
  }
}
