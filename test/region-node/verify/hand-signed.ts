// Keys, codes and lists signed by hand with node:crypto alone: a second writer of the format, and a forger's tools.
import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { CodeClaims } from '../../../region-node/verify/claims.ts'
import type { JwsType } from '../../../region-node/verify/compact-jws.ts'
import { emptyLists, takeRevocationList, takeTrustList } from '../../../region-node/verify/lists.ts'
import type { Lists, Taken } from '../../../region-node/verify/lists.ts'
import type { PaperClaims } from '../../../region-node/verify/paper-claims.ts'
import type { PublicKey } from '../../../region-node/verify/public-key.ts'
import type { RevocationListDocument } from '../../../region-node/verify/revocation-list.ts'
import { readRoots } from '../../../region-node/verify/roots.ts'
import type { Delegation, TrustListDocument } from '../../../region-node/verify/trust-list.ts'

/** 09:00 in Xi'an on 2026-01-05. */
export const nowMs = Date.UTC(2026, 0, 5, 1)
export const now = nowMs / 1000
export const hour = 3600
export const day = 24 * hour

export const base64url = (text: string | Buffer): string => Buffer.from(text).toString('base64url')

export interface HandKey {
  readonly kid: string
  readonly jwk: PublicKey
  readonly privateKey: KeyObject
  /** Signs header and payload just as they are written here. */
  signText(header: string, payload: string): string
  /** Signs both parts as encoded here, however that was done. */
  signParts(header: string, payload: string): string
  sign(type: JwsType, payload: unknown): string
}

export function handKey(term: { nbf?: number; exp?: number } = {}): HandKey {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const kid = thumbprint(x, y)
  const times = { nbf: now - 30 * day, exp: now + 60 * day, ...term }
  const signParts = (header: string, payload: string): string => {
    const input = `${header}.${payload}`
    const signature = sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding: 'ieee-p1363' })
    return `${input}.${base64url(signature)}`
  }
  const signText = (header: string, payload: string): string =>
    signParts(base64url(header), base64url(payload))
  return {
    kid,
    privateKey,
    jwk: { kty: 'EC', crv: 'P-256', x, y, kid, alg: 'ES256', use: 'sig', ...times },
    signText,
    signParts,
    sign: (typ, payload) => signText(JSON.stringify({ alg: 'ES256', typ, kid }), JSON.stringify(payload)),
  }
}

export const thumbprint = (x: string, y: string): string =>
  createHash('sha256').update(`{"crv":"P-256","kty":"EC","x":"${x}","y":"${y}"}`).digest('base64url')

export const aCode = (changes: Partial<CodeClaims> = {}): CodeClaims => ({
  v: 1,
  iss: '610100',
  hom: '610100',
  sub: 'synthetic-token-0001',
  st: 'green',
  tst: now - day,
  iat: now - 10,
  exp: now + 110,
  seq: 7,
  rid: 'rid-00000001',
  ...changes,
})

/** Good for a day, so that verifiers ask for a revocation list. */
export const aCarried = (changes: Partial<CodeClaims> = {}): CodeClaims =>
  aCode({ iat: now - 10, exp: now - 10 + day, ...changes })

/** Printed two weeks ago, for ninety days. */
export const aPaper = (changes: Partial<PaperClaims> = {}): PaperClaims => ({
  v: 1,
  iss: '610100',
  hom: '610100',
  sub: ['synthetic-token-0001'],
  iat: now - 14 * day,
  exp: now + 40 * day,
  rid: paperRid(1),
  ...changes,
})

/** The name of the nth code. */
export const paperRid = (nth: number): string => {
  const bytes = Buffer.alloc(16)
  bytes.writeUInt32BE(nth, 12)
  return base64url(bytes)
}

export const aTrustList = (
  issuers: Record<string, readonly HandKey[]>,
  changes: Partial<TrustListDocument> = {},
): TrustListDocument => ({
  v: 1,
  counter: 1,
  iat: now - hour,
  nextUpdate: now + day,
  issuers: Object.entries(issuers).map(([region, keys]) => ({ region, keys: keys.map(({ jwk }) => jwk) })),
  delegations: [],
  ...changes,
})

export const aRevocationList = (
  kid: string,
  changes: Partial<RevocationListDocument> = {},
): RevocationListDocument => ({
  v: 1,
  iss: '610100',
  kid,
  counter: 1,
  iat: now - hour,
  nextUpdate: now + day,
  revoked: [],
  ...changes,
})

export const lent = (changes: Partial<Delegation> = {}): Delegation => ({
  donor: '610400',
  hom: '610100',
  from: now - day,
  until: now + 2 * day,
  ...changes,
})

/** A root, Xi'an and Xianyang, and lists that know them. */
export class World {
  readonly root = handKey()
  readonly xian = handKey()
  readonly xianyang = handKey()

  trustList(changes: Partial<TrustListDocument> = {}): string {
    const issuers = { '610100': [this.xian], '610400': [this.xianyang] }
    return this.root.sign('chiyuan-trust-list', aTrustList(issuers, changes))
  }

  revocations(changes: Partial<RevocationListDocument> = {}): string {
    return this.xian.sign('chiyuan-revocation-list', aRevocationList(this.xian.kid, changes))
  }

  async noLists(): Promise<Lists> {
    const read = await readRoots(this.root.jwk)
    if (!read.ok) throw new Error(read.detail)
    return emptyLists(read.roots)
  }

  /** Trust list first, then revocation lists of Xi'an. */
  async lists(trust: Partial<TrustListDocument> = {}, ...revocations: string[]): Promise<Lists> {
    let lists = mustTake(await takeTrustList(await this.noLists(), this.trustList(trust), { nowMs }))
    for (const text of revocations) lists = mustTake(await takeRevocationList(lists, text, { nowMs }))
    return lists
  }

  paper(changes: Partial<PaperClaims> = {}): string {
    return this.xian.sign('chiyuan-paper', aPaper(changes))
  }

  code(changes: Partial<CodeClaims> = {}): string {
    return this.xian.sign('chiyuan-code', aCode(changes))
  }
}

export function mustTake(taken: Taken): Lists {
  if (taken.ok) return taken.lists
  throw new Error(`${taken.reason}: ${taken.detail}`)
}
