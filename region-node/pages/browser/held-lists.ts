// The checkpoint's lists: fetched when there is a network, kept for when there is none, never an older one.
import * as z from 'zod/mini'
import { emptyLists, takeRevocationList, takeTrustList } from '../../verify/lists.ts'
import type { Lists, Taken } from '../../verify/lists.ts'
import { readRoots } from '../../verify/roots.ts'

export interface Held {
  readonly lists: Lists
  /** As it was first seen; another one is never taken by itself. */
  readonly rootText: string
}

export interface Update {
  readonly held: Held | null
  /** Why a list was refused, in the library's words. */
  readonly refused: readonly string[]
  /** Whether somebody could be asked. */
  readonly reached: boolean
}

const cacheName = 'chiyuan-lists'
const entry = 'kept-lists'
const patienceMs = 15_000

const keptSchema = z.object({
  root: z.string(),
  trust: z.nullable(z.string()),
  revocations: z.array(z.string()),
})
const fetchedSchema = z.object({ lists: z.array(z.string()) })

/** What was kept when the page was open last; `null` where nothing was. */
export async function restoreLists(nowMs: number): Promise<Held | null> {
  try {
    const kept = await (await caches.open(cacheName)).match(entry)
    if (kept === undefined) return null
    const { root, trust, revocations } = keptSchema.parse(await kept.json())
    const { held } = await take(await withRoot(root), trust, revocations, nowMs)
    return held
  } catch {
    return null
  }
}

/** Asks for newer ones, and keeps what may be believed. */
export async function updateLists(held: Held | null, nowMs: number): Promise<Update> {
  try {
    const start = held ?? (await withRoot(await text('v1/trust-root')))
    const trust = await text('v1/trust-list')
    const { lists } = fetchedSchema.parse(JSON.parse(await text('v1/revocation-lists')))
    const update = await take(start, trust, lists, nowMs)
    await keepLists(update.held)
    return { ...update, reached: true }
  } catch {
    return { held, refused: [], reached: false }
  }
}

/** For when the root itself is changed, which a person must want. */
export async function forgetLists(): Promise<void> {
  await caches.delete(cacheName)
}

async function withRoot(rootText: string): Promise<Held> {
  const read = await readRoots(JSON.parse(rootText))
  if (!read.ok) throw new Error(read.detail)
  return { rootText, lists: emptyLists(read.roots) }
}

async function take(
  { rootText, lists }: Held,
  trust: string | null,
  revocations: readonly string[],
  nowMs: number,
): Promise<{ held: Held; refused: string[] }> {
  const refused: string[] = []
  const after = (before: Lists, taken: Taken): Lists => {
    if (taken.ok) return taken.lists
    refused.push(taken.detail)
    return before
  }
  let newest = lists
  if (trust !== null) newest = after(newest, await takeTrustList(newest, trust, { nowMs }))
  for (const list of revocations) newest = after(newest, await takeRevocationList(newest, list, { nowMs }))
  return { held: { rootText, lists: newest }, refused }
}

async function keepLists({ rootText, lists }: Held): Promise<void> {
  const revocations = [...lists.revocations.values()].map((list) => list.text)
  const kept = { root: rootText, trust: lists.trust?.text ?? null, revocations }
  await (await caches.open(cacheName)).put(entry, new Response(JSON.stringify(kept)))
}

async function text(path: string): Promise<string> {
  const answer = await fetch(path, { cache: 'no-cache', signal: AbortSignal.timeout(patienceMs) })
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`)
  return answer.text()
}
