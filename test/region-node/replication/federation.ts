// A home and its donors, real nodes over real TLS, on ports that stay theirs.
import { writeFileSync } from 'node:fs'
import request from 'supertest'
import type { RegionNode, RegionNodeOptions } from '../../../region-node/main.ts'
import { eventually } from '../../support/eventually.ts'
import { startTestNode } from '../running-node.ts'
import { peerWorld } from './peer-world.ts'

/** A busy machine takes its time. */
export const patienceMs = 15_000
export const HOME = '610100'
export const DONOR = '610400'

export interface AgreementGiven {
  readonly id?: string
  readonly donor?: string
  readonly from?: string
  readonly until?: string
  readonly rpoSeconds?: number
  readonly maxAgeSeconds?: number
  readonly fields?: readonly string[]
}

export async function agreementsFile(name: string, ...given: AgreementGiven[]): Promise<string> {
  const file = (await peerWorld()).file(`${name}.json`)
  writeAgreements(file, ...given)
  return file
}

export function writeAgreements(file: string, ...given: AgreementGiven[]): void {
  const usual = { donor: DONOR, from: '2020-01-01T00:00:00+08:00', until: '2029-01-01T00:00:00+08:00' }
  const agreements = given.map((agreement, nth) =>
    Object.assign({ id: `agreement-${nth}` }, usual, agreement),
  )
  writeFileSync(file, JSON.stringify({ agreements }))
}

export async function startHome(agreements: string, options: RegionNodeOptions = {}): Promise<RegionNode> {
  const peer = await (await peerWorld()).filesOf(HOME)
  return startTestNode({ peerPort: 0, peer, agreements, lookEveryMs: 20, ...options })
}

export const peerUrl = (home: RegionNode): string => `https://127.0.0.1:${home.peerPort}`

export async function startDonor(homeUrl: string, options: RegionNodeOptions = {}): Promise<RegionNode> {
  const { regionCode = DONOR } = options
  const peer = await (await peerWorld()).filesOf(regionCode)
  const follow = [{ region: HOME, urls: [homeUrl] }]
  return startTestNode({ regionCode, peer, follow, lookEveryMs: 20, ...options })
}

export async function readyFor(donor: RegionNode, home = HOME): Promise<void> {
  await eventually(async () => {
    await request(donor.url).get('/readyz').query({ home }).expect(200)
  }, patienceMs)
}

export async function statusAt(node: RegionNode, residentId: string): Promise<unknown> {
  return (await request(node.url).get(`/v1/codes/${residentId}`)).body.status
}

export const positive = (residentId: string) => ({
  residentId,
  result: 'positive',
  sampledAt: '2022-01-04T09:00:00+08:00',
})
