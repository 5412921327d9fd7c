// The operators' plane, constructed and wired: wherever the operators' listener is.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { inMode } from '../../config/mode.ts'
import type { Config } from '../../config/schema.ts'
import type { ApiParts } from '../admin/app.ts'
import { Desk } from '../admin/desk.ts'
import { makeFirstToken } from '../control/access/first-token.ts'
import { eitherOf } from '../control/access/credentials.ts'
import { OidcTokens } from '../control/access/oidc.ts'
import { Sessions } from '../control/access/sessions.ts'
import { AccessTokens } from '../control/access/tokens.ts'
import { ofOperators, Strangers } from '../control/audit/strangers.ts'
import { runDrills } from './drills.ts'
import type { DrillMeasured } from '../control/drills/parts.ts'
import { Changes } from '../control/changes.ts'
import type { Directory } from '../control/directory.ts'
import { type Registry, RegistryUnavailable } from '../control/registry/port.ts'
import { ownRegistry } from '../control/registry/sole-owner.ts'
import type { AuditEntry } from '../model/audit.ts'
import type { Observer } from '../model/events.ts'
import type { Mode } from '../model/mode.ts'
import type { Peers } from '../model/membership.ts'
import type { Measured } from '../model/readings.ts'
import { forgetEndedHolds } from '../control/intent/ended-holds.ts'
import { enrolmentPrefix, enrolmentSchema } from '../control/intent/enrolments.ts'
import { listTyped } from '../control/registry/typed.ts'
import type { EventLog } from '../control/events/event-log.ts'
import type { Verifier } from '../control/verification/verifier.ts'
import type { Plane } from '../admin/plane.ts'
import { OneByOne } from '../control/one-by-one.ts'
import { Verifications } from '../admin/verifications.ts'
import { openVerifier } from './verification.ts'
import { LoginAttempts } from '../policy/login-attempts.ts'
import { WorkBudget } from '../policy/work-budget.ts'
import type { FollowedIntent } from './primary-intent.ts'
import { registryFile } from './state.ts'

export interface OperatorsParts {
  /** The mode that the configuration file names. */
  readonly fileMode: () => Mode
  /** What would be in force in that mode. */
  readonly inMode: (mode: Mode) => Config
  readonly measured: Measured
  /** The gateways of the federation. Default: this one alone. */
  readonly peers?: () => Peers | null
  readonly events: EventLog
  readonly verifier: Verifier
  readonly registry: Registry
  readonly directory: Directory
  readonly observer: Pick<Observer, 'internalError'>
  /** The identity provider whose tokens are taken too. */
  readonly oidc?: Config['admin']['oidc']
  /** What is measured of drills; without it none may begin. */
  readonly drills?: DrillMeasured
}

export interface Operators {
  readonly api: ApiParts
  /** Made because nobody had a token: to be shown once. */
  readonly firstToken: string | null
  /** What is amiss with letting operators in, although some are. */
  warnings(): readonly string[]
}

const hourMs = 3_600_000
const sessionBounds = { lifeMs: 12 * hourMs, idleMs: hourMs, atMost: 1000, ofOneAtMost: 20 }
/** A fifth of a core for one operator, and a second of it at once. */
const workBounds = { burst: 200, perSecond: 40, sources: 1000 }
/** Ten wrong tokens at once, then one every six seconds. */
const attemptBounds = { burst: 10, forgiveMs: 6000, sources: 10_000 }

export async function openOperators(
  parts: OperatorsParts,
  started: AsyncDisposableStack,
): Promise<Operators> {
  const { registry, observer, oidc } = parts
  const wallNow = Date.now
  const now = (): number => performance.now()
  const changes = new Changes(registry, wallNow)
  const firstToken = await firstTokenOf(registry, changes)
  const tokens = started.use(await AccessTokens.open(registry, wallNow))
  const sessions = new Sessions(sessionBounds, now)
  const desk = new Desk(registry, changes, wallNow)
  const fault = (cause: unknown): void => {
    // The registry's loss is told by whoever follows it, and is none of our faults.
    if (!(cause instanceof RegistryUnavailable)) observer.internalError(cause)
  }
  const forgetting = setInterval(() => {
    desk.forgetOld().catch(fault)
    forgetEndedHolds(registry, wallNow()).catch(fault)
  }, hourMs).unref()
  started.defer(() => clearInterval(forgetting))
  const refusals = { note: (entry: AuditEntry) => changes.note(entry), now, fault }
  const strangers = started.use(new Strangers(refusals))
  const refusedOperators = started.use(new Strangers(refusals, ofOperators))
  const provider = oidc === undefined ? null : started.use(await OidcTokens.open(oidc, { wallNow }))
  const turns = { guarded: new OneByOne(), hearAgain: () => heard(parts.directory) }
  const { drills, warnings: ofDrills } = await runDrills(parts, turns, started)
  const plane = planeOf(parts, { ...turns, drills, desk, tokens, sessions, wallNow })
  const api: ApiParts = {
    plane,
    verifications: new Verifications(plane, parts.verifier, { note: (entry) => changes.note(entry), fault }),
    sessions,
    budget: new WorkBudget(workBounds),
    attempts: new LoginAttempts(attemptBounds),
    now,
    credentials: provider === null ? tokens : eitherOf(tokens, provider),
    note: (entry) => (entry.actor === null ? strangers : refusedOperators).note(entry),
    fault,
  }
  const warnings = (): string[] => {
    const why = provider?.fault ?? null
    return [...(why === null ? [] : [`the identity provider’s keys can’t be had: ${why}`]), ...ofDrills()]
  }
  return { api, firstToken, warnings }
}

const planeOf = (
  { fileMode, inMode: inThat, measured, peers = () => null, events, registry, directory }: OperatorsParts,
  own: Pick<Plane, 'drills' | 'desk' | 'tokens' | 'sessions' | 'wallNow' | 'guarded' | 'hearAgain'>,
): Plane => ({
  ...own,
  registry,
  snapshot: () => directory.current,
  regions: () => directory.regions,
  drains: () => directory.drains,
  fileRegions: () => directory.fileRegions,
  enrolments: () => listTyped(registry, enrolmentPrefix, enrolmentSchema),
  intent: () => directory.decided,
  inMode: inThat,
  measured,
  peers,
  events,
  fileMode,
})

/** @throws {RegistryUnavailable} What stands can't be known then, and nothing could be written by it. */
async function heard(directory: Directory): Promise<void> {
  await directory.read()
  if (directory.lost !== null) throw new RegistryUnavailable(directory.lost)
}

/** A registry that can't be asked now has its tokens already, or will get one at the next start. */
async function firstTokenOf(registry: Registry, changes: Changes): Promise<string | null> {
  try {
    return await makeFirstToken(registry, changes, Date.now())
  } catch (cause) {
    if (cause instanceof RegistryUnavailable) return null
    throw cause
  }
}

/**
 * Keeps every other gateway off the state of this one until it ends, where that is a file. Consul is there to be shared.
 * @throws {UsageError} while another has it.
 */
export function ownState(config: Config, started: AsyncDisposableStack): void {
  if (config.registry.driver !== 'embedded') return
  const file = registryFile(config)
  mkdirSync(dirname(file), { recursive: true })
  started.use(ownRegistry(file))
}

/** The same where the data plane is elsewhere. */
export const openOperatorsOf = (
  { config, registry, directory }: FollowedIntent,
  observer: Observer,
  {
    measured,
    peers,
    events,
    drills,
  }: Pick<OperatorsParts, 'measured' | 'events'> & {
    readonly drills: DrillMeasured
    readonly peers: () => Peers | null
  },
  started: AsyncDisposableStack,
): Promise<Operators> =>
  openOperators(
    {
      fileMode: () => config().mode,
      inMode: (mode) => inMode(config(), mode),
      measured,
      peers,
      events,
      drills,
      verifier: openVerifier(config, observer, started),
      registry,
      directory,
      observer,
      oidc: config().admin.oidc,
    },
    started,
  )
