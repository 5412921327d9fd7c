// What one request reads of the outside world: the snapshot and the settings compiled with it, swapped together.
import type { Config } from '../../config/schema.ts'
import type { Pepper } from '../../region-node/tokens/peppers.ts'
import type { Snapshot } from '../model/snapshot.ts'
import { classifier, type Classify } from '../policy/classify.ts'
import { type HomeResolver, homeResolver } from './home.ts'
import { Peers } from './peers.ts'
import { residentDigest, type ResidentKey, residentKey } from './resident.ts'
import { type Hide, hider } from './tokens/hide.ts'

export interface View {
  readonly snapshot: Snapshot
  readonly config: Config
  readonly resolveHome: HomeResolver
  readonly residentKey: ResidentKey
  /** Puts tokens in place of document numbers; `null` where that is off. */
  readonly hide: Hide | null
  /** Names what is kept of a resident without telling who it is. */
  readonly digest: (text: string) => string
  readonly peers: Peers
  readonly classify: Classify
  readonly retryStatuses: ReadonlySet<number>
  readonly removeFromAnswers: ReadonlySet<string>
}

/** @param peppers For tokens in place of document numbers; `null` makes none. */
export function compileView(
  config: Config,
  snapshot: Snapshot,
  residentSecret: string,
  peppers: readonly Pepper[] | null = null,
): View {
  return Object.freeze({
    snapshot,
    config,
    resolveHome: homeResolver(config.home, snapshot),
    residentKey: residentKey(config.resident, residentSecret),
    hide: peppers === null ? null : hider(config.tokens, peppers, Date.now),
    digest: residentDigest(residentSecret),
    peers: new Peers(config.headers.trustedProxies, config.headers.operatorAddresses),
    classify: classifier(config.classes, config.defaultClass),
    retryStatuses: new Set(config.attempts.retryStatuses),
    removeFromAnswers: new Set(config.headers.removeFromAnswers),
  })
}
