// The operators' plane, constructed and wired: wherever the operators' listener is.
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { inMode } from '../../config/mode.ts'
import type { Config } from '../../config/schema.ts'
import type { ApiParts } from '../admin/app.ts'
import { Desk } from '../admin/desk.ts'
import { makeFirstToken } from '../control/access/first-token.ts'
import { Sessions } from '../control/access/sessions.ts'
import { AccessTokens } from '../control/access/tokens.ts'
import { runDrills } from './drills.ts'
import type { DrillMeasured } from '../control/drills/runner.ts'
import { Changes } from '../control/changes.ts'
import type { Directory } from '../control/directory.ts'
import { regionsOf } from '../control/regions.ts'
import { type Registry, RegistryUnavailable } from '../control/registry/port.ts'
import { ownRegistry } from '../control/registry/sole-owner.ts'
import type { Observer } from '../model/events.ts'
import type { Mode } from '../model/mode.ts'
import type { Measured } from '../model/readings.ts'
import { LoginAttempts } from '../policy/login-attempts.ts'
import { openIntent } from './intent.ts'
import { registryFile } from './state.ts'

export interface OperatorsParts {
  /** The mode that the configuration file names. */
  readonly fileMode: () => Mode
  /** What would be in force in that mode. */
  readonly inMode: (mode: Mode) => Config
  readonly measured: Measured
  readonly registry: Registry
  readonly directory: Directory
  readonly observer: Pick<Observer, 'internalError'>
  /** What is measured of drills; without it none may begin. */
  readonly drills?: DrillMeasured
}

export interface Operators {
  readonly api: ApiParts
  /** Made because nobody had a token: to be shown once. */
  readonly firstToken: string | null
}

const hourMs = 3_600_000
const sessionBounds = { lifeMs: 12 * hourMs, idleMs: hourMs, atMost: 1000 }
/** Ten wrong tokens at once, then one every six seconds. */
const attemptBounds = { burst: 10, forgiveMs: 6000, sources: 10_000 }

export async function openOperators(
  parts: OperatorsParts,
  started: AsyncDisposableStack,
): Promise<Operators> {
  const { fileMode, inMode: inThat, measured, registry, directory, observer } = parts
  const wallNow = Date.now
  const now = (): number => performance.now()
  const changes = new Changes(registry, wallNow)
  const firstToken = await firstTokenOf(registry, changes)
  const tokens = started.use(await AccessTokens.open(registry, wallNow))
  const sessions = new Sessions(sessionBounds, now)
  const desk = new Desk(registry, changes, wallNow)
  const forgetting = setInterval(() => {
    desk.forgetOld().catch((cause: unknown) => {
      if (!(cause instanceof RegistryUnavailable)) observer.internalError(cause)
    })
  }, hourMs).unref()
  started.defer(() => clearInterval(forgetting))
  const drills = runDrills(parts, changes, started)
  const api: ApiParts = {
    plane: {
      drills,
      registry,
      desk,
      tokens,
      sessions,
      wallNow,
      snapshot: () => directory.current,
      regions: () => directory.regions,
      intent: () => directory.decided,
      inMode: inThat,
      measured,
      fileMode,
    },
    sessions,
    attempts: new LoginAttempts(attemptBounds),
    now,
    admit: (token) => tokens.admit(token),
    note: (entry) => changes.note(entry),
    fault: (cause) => observer.internalError(cause),
  }
  return { api, firstToken }
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
 * Keeps every other gateway off the state of this one until it ends.
 * @throws {UsageError} while another has it.
 */
export function ownState(config: Config, started: AsyncDisposableStack): void {
  mkdirSync(dirname(registryFile(config)), { recursive: true })
  started.use(ownRegistry(registryFile(config)))
}

/** The same where the data plane is elsewhere: with a directory of its own, so that it sees what the workers see. */
export async function openOperatorsAlone(
  initial: Config,
  observer: Observer,
  { measured, drills }: { readonly measured: Measured; readonly drills: DrillMeasured },
  started: AsyncDisposableStack,
): Promise<Operators & { readonly reload: (config: Config) => void }> {
  let config = initial
  const { registry, directory } = openIntent(initial, observer, started, () => {})
  await directory.start(regionsOf(initial))
  const operators = await openOperators(
    {
      fileMode: () => config.mode,
      inMode: (mode) => inMode(config, mode),
      measured,
      drills,
      registry,
      directory,
      observer,
    },
    started,
  )
  return {
    ...operators,
    reload: (changed) => {
      config = changed
      directory.replaceRegions(regionsOf(changed))
    },
  }
}
