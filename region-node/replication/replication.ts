// Puts replication together: what this node follows, and the listener at which others follow it.
import type { Server } from 'node:https'
import type { Authority } from '../authority/authority.ts'
import { ProblemError } from '../http/problem.ts'
import type { CheckedOptions, RegionNodeLog } from '../options.ts'
import { listen } from '../server.ts'
import type { CodeService } from '../service.ts'
import type { Store } from '../store/store.ts'
import { openAgreements } from './agreements-file.ts'
import type { AgreementsFile } from './agreements-file.ts'
import { copiesOf } from './copies.ts'
import type { Copies } from './copies.ts'
import { Follower } from './follower.ts'
import { HomeSide } from './home.ts'
import { peerClient } from './peer-client.ts'
import type { PeerClient } from './peer-client.ts'
import { openPeerFiles } from './peer-files.ts'
import type { PeerFiles } from './peer-files.ts'
import { createPeerServer } from './peer-server.ts'
import { forgetResidents, readPurge, signPurge } from './purge.ts'

export interface Replication extends AsyncDisposable {
  readonly copies: Copies
  /** Begins to follow, and to listen where a port was given. @returns The port. @throws {StartError} */
  start(service: CodeService): Promise<number | null>
}

export interface ReplicationParts {
  readonly store: Store
  readonly authority: Authority
  readonly clock: () => number
  readonly log: RegionNodeLog
}

/** @throws {StartError} Certificates or agreements can't be used. */
export async function openReplication(
  checked: CheckedOptions,
  parts: ReplicationParts,
): Promise<Replication> {
  const { log } = parts
  const watching = { log, everyMs: checked.lookEveryMs }
  await using opened = new AsyncDisposableStack()
  const files =
    checked.peer && opened.use(await openPeerFiles(checked.peer, { ...watching, region: checked.regionCode }))
  const agreements =
    checked.agreements === undefined
      ? undefined
      : opened.use(await openAgreements(checked.agreements, watching))
  const followers =
    files === undefined ? [] : checked.follow.map((followed) => followerOf(followed, files, parts))
  return new OpenReplication(checked, { files, agreements, followers, parts, opened: opened.move() })
}

function followerOf(
  { region: home, urls }: CheckedOptions['follow'][number],
  files: PeerFiles,
  { store, authority, clock, log }: ReplicationParts,
): Follower {
  const peers = urls.map((url) => peerClient(new URL(url), home, files))
  const standDown = async (signal: AbortSignal): Promise<void> => {
    await forget(home, { store, authority, clock, log }, signal)
    await handOverPurges(home, store, peers, signal)
  }
  return new Follower({ home, peers, store, clock, log, random: Math.random, standDown })
}

async function forget(
  home: string,
  { store, authority, clock, log }: ReplicationParts,
  signal: AbortSignal,
): Promise<void> {
  const agreement = store.copies.find(home)?.terms.id
  if (agreement === undefined) return
  const residents = await forgetResidents(store, home, signal)
  if (residents === null) return
  const nowMs = clock()
  const certificate =
    authority.ring && (await signPurge(authority.ring, { home, agreement, residents, nowMs }))
  if (authority.ring === null || certificate === null) {
    await store.write(() => store.copies.drop(home))
    log.error({ home, agreement, residents }, 'the copy was purged, and no key could sign for it')
    return
  }
  const purge = {
    homeRegion: home,
    donor: authority.ring.region,
    purgedAtMs: nowMs,
    certificate,
    handedOver: false,
  }
  await store.write(() => {
    store.purges.add(purge)
    store.copies.drop(home)
  })
  log.warn({ home, agreement, residents }, 'the agreement has ended: its copy was purged')
}

async function handOverPurges(
  home: string,
  store: Store,
  peers: readonly PeerClient[],
  signal: AbortSignal,
): Promise<void> {
  for (const purge of store.purges.all()) {
    if (purge.homeRegion !== home || purge.handedOver) continue
    await peers[0]?.handOverPurge(purge.certificate, signal)
    await store.write(() => store.purges.add({ ...purge, handedOver: true }))
  }
}

interface Opened {
  readonly files: PeerFiles | undefined
  readonly agreements: AgreementsFile | undefined
  readonly followers: readonly Follower[]
  readonly parts: ReplicationParts
  readonly opened: AsyncDisposableStack
}

class OpenReplication implements Replication {
  readonly copies: Copies
  readonly #checked: CheckedOptions
  readonly #opened: Opened
  readonly #stopping = new AbortController()

  constructor(checked: CheckedOptions, opened: Opened) {
    this.#checked = checked
    this.#opened = opened
    this.copies = copiesOf(opened.followers)
  }

  async start(service: CodeService): Promise<number | null> {
    for (const follower of this.#opened.followers) follower.start()
    const { files, agreements } = this.#opened
    const { peerPort, peerHost } = this.#checked
    if (files === undefined || peerPort === undefined) return null
    const server = createPeerServer({
      service,
      files,
      home: new HomeSide(service, agreements === undefined ? null : () => agreements.agreements),
      stopping: this.#stopping.signal,
      takePurge: (donor, certificate) => takePurge(service, donor, certificate),
    })
    this.#opened.opened.defer(() => closed(server))
    return listen(server, peerHost, peerPort)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#opened.followers.map((follower) => follower[Symbol.asyncDispose]()))
    await this.#opened.opened.disposeAsync()
  }
}

async function takePurge(service: CodeService, donor: string, certificate: string): Promise<void> {
  const { trust } = service.authority.lists
  const claims = trust && (await readPurge(certificate, donor, trust))
  if (!claims || claims.hom !== service.regionCode) {
    throw new ProblemError({
      status: 422,
      code: 'invalid-input',
      title: 'No certificate of that donor for this home',
    })
  }
  const purge = {
    homeRegion: claims.hom,
    donor,
    purgedAtMs: claims.iat * 1_000,
    certificate,
    handedOver: true,
  }
  await service.store.write(() => service.store.purges.add(purge))
  service.log.warn({ donor, residents: claims.residents }, 'a donor has purged its copy, and signed for it')
}

function closed(server: Server): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  server.close(() => resolve())
  server.closeAllConnections()
  return promise
}
