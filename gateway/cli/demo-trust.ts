// Keys and lists of the demo federation: a root, a key for each region, lists by which every region may stand in.
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../config/schema.ts'
import { KeyRing } from '../../region-node/signing/key-ring.ts'
import { prepareKeyFolder, readKeyFiles } from '../../region-node/signing/key-folder.ts'
import { counterIn, signRevocationList, signTrustList } from '../../region-node/signing/list-signer.ts'
import { createFirstKey, rotate } from '../../region-node/signing/rotation.ts'
import { secondsOf } from '../../region-node/verify/fields.ts'
import type { JwsType } from '../../region-node/verify/compact-jws.ts'
import { inWords } from './key-access.ts'
import { lossesIn } from './trust-revocations.ts'
import type { Revoked } from './trust-revocations.ts'

const ROOT_REGION = '100000'
const KEY_DAYS = 30
const DAY_SECONDS = 86_400

/** What one region's node is started with: of private keys its own and no other. */
export interface NodeTrust {
  readonly keys: string
  readonly root: string
  readonly trustList: string
  readonly revocations: readonly string[]
}

type Region = Config['regions'][number]

/** Files of the demo's trust in one folder; what is there already is kept, and its lists are signed anew. */
export class DemoTrust {
  readonly #folder: string
  readonly #regions: readonly Region[]
  readonly #writerFile: (region: Region) => string | null
  /** By region, as they were read last. */
  readonly #losses = new Map<string, Revoked>()
  #last: Promise<void> = Promise.resolve()

  /** @param writerFile Data file of the node that takes a region's reports of loss; `null` where none does. */
  constructor(folder: string, regions: readonly Region[], writerFile: (region: Region) => string | null) {
    this.#folder = folder
    this.#regions = regions
    this.#writerFile = writerFile
  }

  forRegion(code: string): NodeTrust {
    return {
      keys: this.#keys(code),
      root: join(this.#folder, 'root.json'),
      trustList: join(this.#folder, 'trust.jws'),
      revocations: this.#regions.map((region) => this.#revocations(region.code)),
    }
  }

  /** Makes what is missing, and lists that are good from now on for a day. @throws {UsageError} */
  renew(nowMs: number): Promise<void> {
    return this.#inTurn(async () => {
      await mkdir(this.#folder, { recursive: true })
      const root = await usableRing(this.#keys('root'), ROOT_REGION, nowMs)
      const rings = new Map<string, KeyRing>()
      for (const { code } of this.#regions) rings.set(code, await usableRing(this.#keys(code), code, nowMs))
      await replace(join(this.#folder, 'root.json'), JSON.stringify(root.jwks(nowMs)))
      await this.#signTrust(root, rings, nowMs)
      for (const [code, ring] of rings) await this.#signRevocations(code, ring, nowMs)
    })
  }

  /** Tells all nodes of papers that were lost meanwhile. @throws {UsageError} */
  renewLosses(nowMs: number): Promise<void> {
    return this.#inTurn(async () => {
      for (const region of this.#regions) {
        const { code } = region
        const losses = this.#lossesOf(region, nowMs)
        if (JSON.stringify(losses) === JSON.stringify(this.#losses.get(code) ?? [])) continue
        this.#losses.set(code, losses)
        await this.#signRevocations(code, await usableRing(this.#keys(code), code, nowMs), nowMs)
      }
    })
  }

  /** One after the other, since each counts on from the list that the last one wrote. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#last.then(() => inWords(work))
    this.#last = turn.catch(() => {})
    return turn
  }

  #lossesOf(region: Region, nowMs: number): Revoked {
    const file = this.#writerFile(region)
    // Before its first start a node knows of no loss.
    return file === null || !existsSync(file) ? [] : lossesIn(file, region.code, nowMs)
  }

  async #signTrust(root: KeyRing, rings: ReadonlyMap<string, KeyRing>, nowMs: number): Promise<void> {
    const file = join(this.#folder, 'trust.jws')
    const issuers = [...rings].map(([region, ring]) => ({ region, keys: [...ring.jwks(nowMs).keys] }))
    const counter = await nextCounter(file, 'chiyuan-trust-list')
    const content = { counter, issuers, delegations: this.#delegations(secondsOf(nowMs)) }
    await replace(file, await signTrustList(root, content, { nowMs, validSeconds: DAY_SECONDS }))
  }

  /** Lost papers; a verifier wants to see one also before it believes a code that is carried for a day. */
  async #signRevocations(code: string, ring: KeyRing, nowMs: number): Promise<void> {
    const kid = ring.signerAt(nowMs)?.jwk.kid
    if (kid === undefined) return
    const file = this.#revocations(code)
    const revoked = this.#losses.get(code) ?? []
    const content = { counter: await nextCounter(file, 'chiyuan-revocation-list'), kid, revoked }
    await replace(file, await signRevocationList(ring, content, { nowMs, validSeconds: DAY_SECONDS }))
  }

  /** A credential lives for a day from its signing, so agreements go on for one day more than the lists. */
  #delegations(now: number) {
    const cities = this.#regions.filter(({ tier }) => tier === 'city')
    return cities.flatMap(({ code: hom }) =>
      this.#regions
        .filter(({ code }) => code !== hom)
        .map(({ code: donor }) => ({ donor, hom, from: now, until: now + 2 * DAY_SECONDS })),
    )
  }

  #keys(name: string): string {
    return join(this.#folder, 'keys', name)
  }

  #revocations(code: string): string {
    return join(this.#folder, `revoked-${code}.jws`)
  }
}

async function usableRing(folder: string, region: string, nowMs: number): Promise<KeyRing> {
  const options = { nowMs, days: KEY_DAYS, passphrase: null }
  await prepareKeyFolder(folder)
  if ((await readKeyFiles(folder)).length === 0) await createFirstKey(folder, region, options)
  const ring = await KeyRing.open(folder)
  // A demo that lay still for a month.
  if (ring.signerAt(nowMs + 3 * DAY_SECONDS * 1000) !== null) return ring
  await rotate(folder, { ...options, leadSeconds: 0 })
  return KeyRing.open(folder)
}

async function nextCounter(file: string, type: JwsType): Promise<number> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return (counterIn(text.trim(), type) ?? 0) + 1
}

/** Nodes read it while it is written: they see the old one or the new one. */
async function replace(file: string, text: string): Promise<void> {
  await writeFile(`${file}.new`, text)
  await rename(`${file}.new`, file)
}
