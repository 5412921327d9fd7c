// Keys and lists of a small federation for tests: a root, four regions that all stand in for each other.
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from '@jest/globals'
import type { RegionNodeOptions } from '../../region-node/main.ts'
import { KeyRing, readKeyDocuments } from '../../region-node/signing/key-ring.ts'
import { signRevocationList, signTrustList } from '../../region-node/signing/list-signer.ts'
import type { RevocationListContent } from '../../region-node/signing/list-signer.ts'
import { createFirstKey } from '../../region-node/signing/rotation.ts'
import type { Delegation } from '../../region-node/verify/trust-list.ts'

const regions = ['610100', '610400', '610500', '610000']
// Whatever the clock of a test says.
const bornMs = Date.UTC(2020, 0, 1)
const days = 3_660
const from = bornMs / 1000
const until = from + days * 86_400

const everyPair: Delegation[] = regions.flatMap((donor) =>
  regions.filter((hom) => hom !== donor).map((hom) => ({ donor, hom, from, until })),
)

export interface TrustChanges {
  readonly counter?: number
  readonly delegations?: readonly Delegation[]
  readonly without?: string
}

export class SigningWorld {
  readonly folder: string

  private constructor(folder: string) {
    this.folder = folder
  }

  static async make(): Promise<SigningWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'chiyuan-keys-'))
    chmodSync(folder, 0o700)
    const world = new SigningWorld(folder)
    const options = { nowMs: bornMs, days, passphrase: null }
    for (const region of regions) await createFirstKey(world.keys(region), region, options)
    const root = await createFirstKey(world.keys('root'), '100000', options)
    writeFileSync(world.rootFile, JSON.stringify(root))
    return world
  }

  get rootFile(): string {
    return join(this.folder, 'root.json')
  }

  keys(region: string): string {
    return join(this.folder, region)
  }

  async kid(region: string): Promise<string> {
    return (await readKeyDocuments(this.keys(region)))[0]?.jwk.kid ?? ''
  }

  /** A trust list issued at `nowMs`, due after a day. */
  async trustList(nowMs: number, { counter = 1, delegations = everyPair, without }: TrustChanges = {}) {
    const known = regions.filter((region) => region !== without)
    const issuers = await Promise.all(
      known.map(async (region) => ({
        region,
        keys: (await readKeyDocuments(this.keys(region))).map(({ jwk }) => jwk),
      })),
    )
    const content = { counter, issuers, delegations: [...delegations] }
    return signTrustList(await KeyRing.open(this.keys('root')), content, { nowMs, validSeconds: 86_400 })
  }

  /** A revocation list of a region, about the key that it has. */
  async revocations(region: string, nowMs: number, content: Partial<RevocationListContent> = {}) {
    const ring = await KeyRing.open(this.keys(region))
    const list = { counter: 1, kid: await this.kid(region), revoked: [], ...content }
    return signRevocationList(ring, list, { nowMs, validSeconds: 86_400 })
  }

  write(name: string, text: string): string {
    const file = join(this.folder, name)
    writeFileSync(file, text)
    return file
  }

  /** Keys and a trust list for a node of that region. */
  async optionsFor(region: string, nowMs: number): Promise<RegionNodeOptions> {
    const trustList = this.write(`trust-${nowMs}.jws`, await this.trustList(nowMs))
    return { keyFolder: this.keys(region), trustRoot: this.rootFile, trustList }
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true })
  }
}

let shared: Promise<SigningWorld> | undefined

/** One for all nodes of a test file. */
export const signingWorld = (): Promise<SigningWorld> => (shared ??= SigningWorld.make())

afterAll(async () => (await shared)?.[Symbol.dispose]())
