// Follows Consul's catalogue for nodes, in every datacentre that is named, and tells what it comes to. What can't be
// heard stays as it was heard last.
import { createHash } from 'node:crypto'
import type { Clock } from '../../model/clock.ts'
import { errorText } from '../../model/errors.ts'
import type { Observer } from '../../model/events.ts'
import { type DiscoverySettings, type Found, foundNodes, nothingFound } from '../../policy/discovery.ts'
import type { CatalogueEntry } from '../registry/consul/catalogue.ts'
import type { ConsulConnection } from '../registry/consul/connection.ts'
import { followIndexed } from '../registry/consul/watch.ts'

export interface CataloguesParts {
  readonly connection: Pick<ConsulConnection, 'instances'>
  /** Name that nodes are registered under. */
  readonly service: string
  /** An instance without it is none of ours; `null` for all. */
  readonly tag: string | null
  /** Empty: the agent's own. */
  readonly datacenters: readonly string[]
  readonly settings: () => DiscoverySettings
  readonly clock: Clock
  /** Wall-clock milliseconds since 1970. */
  readonly wallNow: () => number
  readonly observer: Pick<Observer, 'catalogueLost' | 'catalogueRead'>
  /** Called with all catalogues whenever one of them comes to something else. */
  readonly changed: (found: readonly Found[]) => void
}

interface Catalogue {
  readonly datacenter: string | null
  entries: readonly CatalogueEntry[]
  found: Found
  lost: { readonly since: number; readonly detail: string } | null
  hasBeenRead: boolean
}

export class Catalogues implements AsyncDisposable {
  private readonly parts: CataloguesParts
  private readonly all: readonly Catalogue[]
  private readonly ended = new AbortController()
  private readonly loops: Promise<void>[] = []
  private cancel = (): void => {}

  constructor(parts: CataloguesParts) {
    this.parts = parts
    const named = parts.datacenters.length === 0 ? [null] : parts.datacenters
    this.all = named.map((datacenter) => ({
      datacenter,
      entries: [],
      found: nothingFound,
      lost: null,
      hasBeenRead: false,
    }))
  }

  /** Resolves once every catalogue has been read or could not be. */
  async start(): Promise<void> {
    await Promise.all(
      this.all.map(
        (catalogue) =>
          new Promise<void>((heard) => {
            this.loops.push(this.follow(catalogue, heard))
          }),
      ),
    )
  }

  /** Other settings are in force: what is known is judged anew. */
  reconsider(): void {
    for (const catalogue of this.all) this.judge(catalogue)
    this.tell()
  }

  /** What is amiss with a catalogue, one line each; what is amiss with what stands in it is told with it. */
  get warnings(): readonly string[] {
    return this.all.flatMap((catalogue) => {
      const { lost, found, entries, hasBeenRead } = catalogue
      if (lost !== null)
        return [
          `discovery: ${nameOf(catalogue)} can't be heard since ${new Date(lost.since).toISOString()} (${lost.detail}); its nodes stay as they were`,
        ]
      // Consul shows a token without rights the same as where there is nothing.
      if (hasBeenRead && entries.length === 0 && found.nodes.length === 0)
        return [
          `discovery: ${nameOf(catalogue)} lists no ${this.parts.service}; if there are some, see that discovery.tokenFile's token may read that service and its nodes there`,
        ]
      return []
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.ended.abort()
    this.cancel()
    await Promise.all(this.loops)
  }

  private follow(catalogue: Catalogue, heard: () => void): Promise<void> {
    const { connection, service, tag, wallNow, observer } = this.parts
    const { signal } = this.ended
    const { datacenter } = catalogue
    return followIndexed(
      (index) => connection.instances(service, datacenter, index, signal),
      digestOf,
      {
        changed: (entries) => {
          catalogue.entries = tag === null ? entries : entries.filter(({ tags }) => tags.includes(tag))
          catalogue.lost = null
          catalogue.hasBeenRead = true
          this.judge(catalogue)
          observer.catalogueRead(nameOf(catalogue), listedIn(catalogue))
          this.tell()
          heard()
        },
        lost: (cause) => {
          catalogue.lost = { since: Math.floor(wallNow()), detail: errorText(cause) }
          observer.catalogueLost(nameOf(catalogue), catalogue.lost.detail)
          heard()
        },
      },
      signal,
    ).finally(heard)
  }

  private judge(catalogue: Catalogue): void {
    const { settings, wallNow } = this.parts
    catalogue.found = foundNodes(catalogue.entries, catalogue.found, wallNow(), settings())
  }

  private tell(): void {
    this.parts.changed(this.all.map(({ found }) => found))
    this.cancel()
    const now = this.parts.wallNow()
    const { drainMs } = this.parts.settings()
    const ends = this.all.flatMap(({ found }) =>
      found.nodes.flatMap(({ goneSince }) => (goneSince === null ? [] : [goneSince + drainMs - now])),
    )
    if (ends.length === 0) return
    this.cancel = this.parts.clock.after(Math.max(1, Math.min(...ends) + 1), () => this.reconsider())
  }
}

const nameOf = ({ datacenter }: Catalogue): string => datacenter ?? 'local'

const listedIn = ({ found }: Catalogue): number =>
  found.nodes.filter(({ goneSince }) => goneSince === null).length

/** Their order says nothing. */
function digestOf(entries: readonly CatalogueEntry[]): string {
  const hash = createHash('sha256')
  for (const text of entries.map((entry) => JSON.stringify(entry)).sort())
    hash.update(`${text.length}:${text}`)
  return hash.digest('base64')
}
