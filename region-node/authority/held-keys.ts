// The keys that this node signs with, opened again when its folder changes: a rotation needs no restart.
import type { RegionNodeLog } from '../options.ts'
import { KeyError } from '../signing/key-error.ts'
import { prepareKeyFolder, readKeyFiles } from '../signing/key-folder.ts'
import { KeyRing } from '../signing/key-ring.ts'
import { createFirstKey } from '../signing/rotation.ts'

export interface KeySource {
  readonly folder: string
  /** Whose keys must lie there. */
  readonly region: string
  /** `null`: they are not sealed. */
  readonly passphrase: string | null
}

const FIRST_KEY_DAYS = 180

export class HeldKeys {
  readonly #source: KeySource
  readonly #log: RegionNodeLog
  #ring: KeyRing

  private constructor(source: KeySource, log: RegionNodeLog, ring: KeyRing) {
    this.#source = source
    this.#log = log
    this.#ring = ring
  }

  /**
   * Makes the first key where there is none.
   *
   * @throws {KeyError} when a key can't be used, others may read one, or they are of another region.
   */
  static async open(source: KeySource, nowMs: number, log: RegionNodeLog): Promise<HeldKeys> {
    const { folder, region, passphrase } = source
    await prepareKeyFolder(folder)
    if ((await readKeyFiles(folder)).length === 0) {
      const { kid } = await createFirstKey(folder, region, { nowMs, days: FIRST_KEY_DAYS, passphrase })
      log.warn(
        { kid, region, folder },
        'the key folder was empty: a first key was made; put it in the trust list',
      )
    }
    return new HeldKeys(source, log, await openRing(source))
  }

  get ring(): KeyRing {
    return this.#ring
  }

  /** Keeps the keys held where those in the folder can't be used. */
  async refresh(): Promise<void> {
    try {
      this.#ring = await openRing(this.#source)
    } catch (error) {
      if (!(error instanceof KeyError)) throw error
      this.#log.error({ reason: error.message }, 'the changed keys can’t be used; the ones held stay in use')
    }
  }
}

async function openRing({ folder, region, passphrase }: KeySource): Promise<KeyRing> {
  const ring = await KeyRing.open(folder, passphrase)
  if (ring.region === region) return ring
  throw new KeyError(
    `${folder}: its keys are of region ${ring.region}, and this node is of ${region}; give it its own`,
  )
}
