// The lists that the run judges codes by: served by the node, under a root of the verifier's own or the one it serves.
import { emptyLists, takeRevocationList, takeTrustList } from '../verify/lists.ts'
import type { Lists, RootKey } from '../verify/lists.ts'
import { readRoots } from '../verify/roots.ts'
import type { ConformanceClient } from './client.ts'
import { NoAnswer } from './client.ts'
import { readJson, revocationListsSchema } from './contract.ts'

export interface TrustHeld {
  /** `served`: only consistent with itself. Whoever runs a node can serve a root of their own. */
  readonly rootFrom: 'file' | 'served'
  /** Null, with a reason, where no code can be judged. */
  readonly lists: Lists | null
  readonly fault: string
}

/** @param roots The verifier's own; undefined to believe the node's. */
export async function fetchTrust(
  client: ConformanceClient,
  roots: readonly RootKey[] | undefined,
  nowMs: number,
): Promise<TrustHeld> {
  const rootFrom = roots === undefined ? 'served' : 'file'
  try {
    return { rootFrom, ...(await listsOf(client, roots, nowMs)) }
  } catch (cause) {
    if (cause instanceof NoAnswer) return { rootFrom, lists: null, fault: cause.message }
    throw cause
  }
}

type Fetched = Omit<TrustHeld, 'rootFrom'>
const none = (fault: string): Fetched => ({ lists: null, fault })

async function listsOf(
  client: ConformanceClient,
  own: readonly RootKey[] | undefined,
  nowMs: number,
): Promise<Fetched> {
  const roots = own ?? (await servedRoots(client))
  if (typeof roots === 'string') return none(roots)
  const trust = await get(client, '/v1/trust-list')
  if (trust.status !== 200) return none(`/v1/trust-list answered ${trust.status}`)
  let taken = await takeTrustList(emptyLists(roots), trust.body.trim(), { nowMs })
  if (!taken.ok) return none(`the trust list is not to be gone by (${taken.reason}): ${taken.detail}`)
  let { lists } = taken
  const revocations = await get(client, '/v1/revocation-lists')
  const read = revocationListsSchema.safeParse(readJson(revocations.body))
  if (revocations.status !== 200 || !read.success) return none('/v1/revocation-lists has no lists')
  for (const text of read.data.lists) {
    taken = await takeRevocationList(lists, text, { nowMs })
    if (!taken.ok) return none(`a revocation list is not to be gone by (${taken.reason}): ${taken.detail}`)
    lists = taken.lists
  }
  return { lists, fault: '' }
}

async function servedRoots(client: ConformanceClient): Promise<readonly RootKey[] | string> {
  const { status, body } = await get(client, '/v1/trust-root')
  if (status !== 200) return `/v1/trust-root answered ${status}`
  const read = await readRoots(readJson(body))
  return read.ok ? read.roots : `/v1/trust-root: ${read.detail}`
}

const get = (client: ConformanceClient, path: string) => client.ask({ name: path, path })
