// How the demo's nodes follow each other: certificates, agreements by which every region may stand in, and who is whose writer.
import { mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from '../../config/schema.ts'
import type { PeerPaths } from '../../region-node/peers/certificate-files.ts'
import { preparePeers } from '../../region-node/peers/prepare.ts'
import { inWords } from './key-access.ts'

type Region = Config['regions'][number]

const DAY_MS = 86_400_000

export class DemoPeers {
  readonly #folder: string
  readonly #regions: readonly Region[]
  /** Of the first city's writer; the others' are behind it. */
  readonly #firstPort: number
  #files: ReadonlyMap<string, PeerPaths> = new Map()

  constructor(folder: string, regions: readonly Region[], firstPort: number) {
    this.#folder = folder
    this.#regions = regions
    this.#firstPort = firstPort
  }

  /** Makes what is missing. @throws {UsageError} */
  prepare(nowMs: number): Promise<void> {
    return inWords(async () => {
      await mkdir(this.#folder, { recursive: true })
      const codes = this.#regions.map(({ code }) => code)
      this.#files = await preparePeers(join(this.#folder, 'certificates'), codes, nowMs)
      for (const { code } of this.#cities()) await this.#writeAgreements(code, nowMs)
    })
  }

  /** A city's first node is its writer; all others follow it, and every city's. */
  flagsFor(region: Region, id: string): string[] {
    const files = this.#files.get(region.code)
    if (files === undefined) return []
    const isWriter = region.nodes[0]?.id === id
    const port = this.#portOf(region.code)
    const lending =
      isWriter && port !== undefined
        ? ['--peer-port', String(port), '--agreements', this.#agreements(region.code)]
        : []
    const follow = this.#cities()
      .filter(({ code }) => code !== region.code || !isWriter)
      .map(({ code }) => `${code}=https://127.0.0.1:${this.#portOf(code)}`)
    const peer = ['--peer-cert', files.cert, '--peer-key', files.key, '--peer-ca', files.ca]
    return [...peer, ...lending, ...(follow.length === 0 ? [] : ['--follow', ...follow])]
  }

  async #writeAgreements(home: string, nowMs: number): Promise<void> {
    const from = new Date(nowMs - DAY_MS).toISOString()
    const until = new Date(nowMs + 365 * DAY_MS).toISOString()
    const donors = this.#regions.filter(({ code }) => code !== home)
    const agreements = donors.map(({ code: donor }) => ({ id: `demo-${home}-${donor}`, donor, from, until }))
    const file = this.#agreements(home)
    await writeFile(`${file}.new`, JSON.stringify({ agreements }, null, 2))
    await rename(`${file}.new`, file)
  }

  #cities(): Region[] {
    return this.#regions.filter(({ tier }) => tier === 'city')
  }

  #portOf(city: string): number | undefined {
    const nth = this.#cities().findIndex(({ code }) => code === city)
    return nth === -1 ? undefined : this.#firstPort + nth
  }

  #agreements(home: string): string {
    return join(this.#folder, `agreements-${home}.json`)
  }
}
