// What this node may say in its region's name, and by which lists it judges what others say.
import type { RegionNodeLog } from '../options.ts'
import { CodeSigner } from '../signing/code-signer.ts'
import type { RefusalReason } from '../signing/code-signer.ts'
import { KeyError } from '../signing/key-error.ts'
import type { KeyRing } from '../signing/key-ring.ts'
import { StartError } from '../start-error.ts'
import { secondsOf } from '../verify/fields.ts'
import { emptyLists } from '../verify/lists.ts'
import type { Lists } from '../verify/lists.ts'
import { delegationsOf } from '../verify/trust-list.ts'
import type { Delegation } from '../verify/trust-list.ts'
import { watchFiles } from './changed-files.ts'
import { HeldKeys } from './held-keys.ts'
import type { KeySource } from './held-keys.ts'
import { HeldLists } from './held-lists.ts'
import type { ListFiles } from './held-lists.ts'

/** Why the node can't sign for a region now. `unlisted`: its key is not in the trust list, so nobody would believe it. */
export type SigningFault = RefusalReason | 'unlisted'

export interface Authority extends AsyncDisposable {
  /** `null`: the node was given no keys. */
  readonly ring: KeyRing | null
  readonly signer: CodeSigner | null
  readonly lists: Lists
  /** The trust root as it was given. */
  readonly rootText: string | null
  /** Why codes for residents of `hom` can't be signed now; `null` where they can. */
  faultFor(hom: string, nowMs: number): SigningFault | null
}

export interface AuthoritySource {
  readonly keys: KeySource | undefined
  readonly lists: ListFiles | undefined
  readonly clock: () => number
  readonly log: RegionNodeLog
  /** How often files are looked at for a change. */
  readonly lookEveryMs: number
}

/** @throws {StartError} when keys or trust root can't be used. */
export async function openAuthority(source: AuthoritySource): Promise<Authority> {
  const { clock, log, lookEveryMs } = source
  const keys = source.keys && (await openKeys(source.keys, clock(), log))
  const held = source.lists && (await HeldLists.open(source.lists, { clock, log }))
  const paths = [source.keys?.folder, source.lists?.trustList, ...(source.lists?.revocations ?? [])]
  const watching = watchFiles({
    paths: paths.filter((path) => path !== undefined),
    everyMs: lookEveryMs,
    changed: async () => {
      await keys?.refresh()
      await held?.refresh()
    },
  })
  return new FileAuthority(keys, held, watching)
}

async function openKeys(source: KeySource, nowMs: number, log: RegionNodeLog): Promise<HeldKeys> {
  try {
    return await HeldKeys.open(source, nowMs, log)
  } catch (error) {
    // Without the cause, which might hold what was read.
    if (error instanceof KeyError) throw new StartError(error.message)
    throw error
  }
}

const noLists = emptyLists([])

class FileAuthority implements Authority {
  readonly #keys: HeldKeys | undefined
  readonly #held: HeldLists | undefined
  readonly #watching: AsyncDisposable

  constructor(keys: HeldKeys | undefined, held: HeldLists | undefined, watching: AsyncDisposable) {
    this.#keys = keys
    this.#held = held
    this.#watching = watching
  }

  get ring(): KeyRing | null {
    return this.#keys?.ring ?? null
  }

  get lists(): Lists {
    return this.#held?.lists ?? noLists
  }

  get rootText(): string | null {
    return this.#held?.rootText ?? null
  }

  get signer(): CodeSigner | null {
    const { ring } = this
    return ring && new CodeSigner({ ring, delegations: (donor, hom) => this.#delegations(donor, hom) })
  }

  faultFor(hom: string, nowMs: number): SigningFault | null {
    const { ring } = this
    const signer = ring?.signerAt(nowMs) ?? null
    if (ring === null || signer === null) return 'no-key'
    const now = secondsOf(nowMs)
    const lent = this.#delegations(ring.region, hom).some(({ from, until }) => from <= now && now < until)
    if (hom !== ring.region && !lent) return 'undelegated'
    const { trust } = this.lists
    return trust === null || trust.keys.has(signer.jwk.kid) ? null : 'unlisted'
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#watching[Symbol.asyncDispose]()
  }

  #delegations(donor: string, hom: string): readonly Delegation[] {
    const { trust } = this.lists
    return trust === null ? [] : delegationsOf(trust, donor, hom)
  }
}
