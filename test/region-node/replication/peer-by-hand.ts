// A peer that says what a test makes it say: over the wire with a region's own certificate, or in place of a whole home.
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { text } from 'node:stream/consumers'
import type { RegionNode } from '../../../region-node/main.ts'
import { Follower } from '../../../region-node/replication/follower.ts'
import type { PeerClient } from '../../../region-node/replication/peer-client.ts'
import type { Terms } from '../../../region-node/replication/terms.ts'
import type { Page } from '../../../region-node/replication/wire.ts'
import type { CodeStatus } from '../../../region-node/resident.ts'
import type { FeedEntry } from '../../../region-node/store/feed.ts'
import type { Store } from '../../../region-node/store/store.ts'
import { syntheticToken } from '../../../region-node/synthetic.ts'
import { HOME, peerUrl } from './federation.ts'
import { peerWorld } from './peer-world.ts'

export interface PeerAnswer {
  readonly status: number
  readonly body: string
}

/** An agent with the certificate of `region`, which any home of the test's world lets in. */
export async function agentOf(region: string): Promise<Agent> {
  const { cert, key, ca } = await (await peerWorld()).filesOf(region)
  const read = (file: string): string => readFileSync(file, 'utf8')
  return new Agent({ cert: read(cert), key: read(key), ca: read(ca), keepAlive: true, maxSockets: 10_000 })
}

/** `path` from `/replication/v1` on. A body makes it a POST. */
export function askAsPeer(home: RegionNode, agent: Agent, path: string, body?: object): Promise<PeerAnswer> {
  return new Promise((resolve, reject) => {
    const asking = request(
      `${peerUrl(home)}/replication/v1${path}`,
      {
        agent,
        method: body === undefined ? 'GET' : 'POST',
        headers: body === undefined ? {} : { 'content-type': 'application/json' },
      },
      (answer) => {
        void text(answer).then((said) => resolve({ status: answer.statusCode ?? 0, body: said }), reject)
      },
    )
    asking.on('error', reject)
    asking.end(body === undefined ? undefined : JSON.stringify(body))
  })
}

export const someTerms: Terms = {
  id: 'by-hand',
  fields: ['testTime', 'testResult'],
  rpoSeconds: 2,
  maxAgeSeconds: 60,
  fromMs: 0,
  untilMs: 8_640_000_000_000_000,
}

/** A row of home's feed. */
export const row = (residentId: string, status: CodeStatus, epoch: number, seq: number): FeedEntry => ({
  residentToken: syntheticToken(residentId),
  homeRegion: HOME,
  status,
  updatedAtMs: 1_000,
  testTimeMs: 500,
  testResult: 'negative',
  epoch,
  seq,
})

/** What is current when it is read, unless its head says otherwise. */
export const page = (entries: readonly FeedEntry[], changes: Partial<Page> = {}): Page => {
  const last = entries.at(-1)
  return {
    home: HOME,
    terms: someTerms,
    head: { epoch: last?.epoch ?? 1, seq: last?.seq ?? 0 },
    heldMs: 0,
    entries,
    ...changes,
  }
}

export interface FollowedByHand {
  readonly follower: Follower
  /** Sets what home answers to the next page, and takes it. Rejects when it is refused. */
  take(answer: Page): Promise<void>
}

/** @param handOver What home says of what is handed over. */
export function followByHand(
  store: Store,
  clock: () => number,
  handOver: PeerClient['handOver'] = () => Promise.reject(new Error('nothing was to be handed over')),
): FollowedByHand {
  let next: Page = page([])
  const peer: PeerClient = {
    page: () => Promise.resolve(next),
    handOver,
    handOverPurge: () => Promise.resolve(),
    close: () => undefined,
  }
  const log = { warn: () => undefined, error: () => undefined }
  const standDown = () => Promise.reject(new Error('the agreement goes on'))
  const follower = new Follower({
    home: HOME,
    peers: [peer],
    store,
    clock,
    log,
    random: () => 0,
    standDown,
  })
  return {
    follower,
    take: async (answer) => {
      next = answer
      await follower.step(new AbortController().signal)
    },
  }
}
