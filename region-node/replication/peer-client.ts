// Asks a node of another region over mutual TLS, and believes it only if its certificate is of that region.
import { request, Agent } from 'node:https'
import type { IncomingMessage } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { constants, createZstdDecompress } from 'node:zlib'
import { isNativeError } from 'node:util/types'
import { z } from 'zod'
import { regionOfPeer } from '../peers/identity.ts'
import type { FeedPosition } from '../store/feed.ts'
import type { PeerFiles } from './peer-files.ts'
import { lastHeader, readPage, readReceipts } from './wire.ts'
import type { Page, Receipt, TakenWrite } from './wire.ts'

/** The peer can't be reached, or what it says can't be taken. The message names no resident. */
export class PeerError extends Error {
  override readonly name = 'PeerError'
}

export interface PageAsking {
  readonly limit: number
  readonly waitMs: number
  readonly signal: AbortSignal
  /** Whose row stands at the place from which it is asked, where that is known: home must have it there, or later. */
  readonly last: string | undefined
}

export interface PeerClient {
  /** `ended`: home has no agreement with this region now. @throws {PeerError} */
  page(after: FeedPosition, asking: PageAsking): Promise<Page | 'ended'>
  /** @throws {PeerError} */
  handOver(
    writes: readonly TakenWrite[],
    signal: AbortSignal,
  ): Promise<{ head: FeedPosition; receipts: readonly Receipt[] }>
  /** @throws {PeerError} */
  handOverPurge(certificate: string, signal: AbortSignal): Promise<void>
  close(): void
}

const answerWithinMs = 1_000
const mostBytes = 4 * 1024 * 1024

interface Answer {
  readonly status: number
  readonly value: unknown
}

/** @param home The region that must answer. */
export function peerClient(url: URL, home: string, files: PeerFiles): PeerClient {
  const folder = '/replication/v1'
  let agent = agentOf(home, files)
  let madeOf = files.current
  const ask = async (
    method: 'GET' | 'POST',
    path: string,
    {
      body,
      withinMs,
      signal,
      last,
    }: { body?: unknown; withinMs: number; signal: AbortSignal; last?: string },
  ): Promise<Answer> => {
    if (madeOf !== files.current) {
      agent.destroy()
      madeOf = files.current
      agent = agentOf(home, files)
    }
    const text = body === undefined ? undefined : JSON.stringify(body)
    const until = AbortSignal.any([signal, AbortSignal.timeout(withinMs)])
    try {
      return await send(new URL(`${folder}${path}`, url), { method, agent, signal: until, text, last })
    } catch (error) {
      throw new PeerError(`${url.host} did not answer: ${reasonOf(error)}`, { cause: error })
    }
  }
  return {
    page: async ({ epoch, seq }, { limit, waitMs, signal, last }) => {
      const path = `/feed?epoch=${epoch}&seq=${seq}&limit=${limit}&waitMs=${Math.round(waitMs)}`
      const answer = await ask('GET', path, {
        withinMs: waitMs + answerWithinMs,
        signal,
        ...(last !== undefined && { last }),
      })
      if (answer.status === 403 && problemCode(answer.value) === 'no-agreement') return 'ended'
      if (answer.status === 409 && problemCode(answer.value) === 'place-lost') {
        throw new PeerError(
          `${url.host} has not what was followed of it up to ${epoch}/${seq}: ` +
            'if it came back from a backup, stop it and run: chiyuan residents begin-epoch',
        )
      }
      return understood(url, () => readPage(valueOf(url, answer)))
    },
    handOver: async (writes, signal) => {
      const answer = await ask('POST', '/journal', { body: { writes }, withinMs: 10_000, signal })
      return understood(url, () => readReceipts(valueOf(url, answer)))
    },
    handOverPurge: async (certificate, signal) => {
      valueOf(url, await ask('POST', '/purges', { body: { certificate }, withinMs: 10_000, signal }))
    },
    close: () => agent.destroy(),
  }
}

const agentOf = (home: string, { current }: PeerFiles): Agent =>
  new Agent({
    ...current,
    keepAlive: true,
    maxSockets: 2,
    // The name is the region's, wherever its node runs: the chain is checked before this is called.
    checkServerIdentity: (_host, certificate) =>
      regionOfPeer(certificate.subjectaltname) === home
        ? undefined
        : new Error(`its certificate is not of region ${home}`),
  })

interface Sending {
  readonly method: string
  readonly agent: Agent
  readonly signal: AbortSignal
  readonly text: string | undefined
  readonly last: string | undefined
}

async function send(url: URL, { method, agent, signal, text, last }: Sending): Promise<Answer> {
  const headers: Record<string, string> = { 'accept-encoding': 'zstd' }
  if (text !== undefined) headers['content-type'] = 'application/json'
  // Not in the URL, which is what others write down.
  if (last !== undefined) headers[lastHeader] = last
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>()
  const asking = request(url, { method, agent, signal, headers }, resolve)
  asking.on('error', reject)
  asking.end(text)
  const answer = await promise
  const body = await bodyOf(answer)
  return { status: answer.statusCode ?? 0, value: parsed(body) }
}

/** The parser's own words quote what they stumbled over, which may be a resident's token. */
function parsed(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    throw new Error(`what it answered, ${body.length} characters, is no JSON`)
  }
}

/** Else a frame of a few bytes could have 128 MiB set aside for it. */
const smallWindow = { params: { [constants.ZSTD_d_windowLogMax]: 22 } }

async function bodyOf(answer: IncomingMessage): Promise<string> {
  const plain =
    answer.headers['content-encoding'] === 'zstd' ? answer.pipe(createZstdDecompress(smallWindow)) : answer
  if (plain !== answer) answer.on('error', (error) => plain.destroy(error))
  let read = 0
  plain.on('data', (chunk: Buffer) => {
    read += chunk.length
    if (read <= mostBytes) return
    // Both: what came over the wire may be at its end already, and only what is made of it goes on and on.
    plain.destroy(new Error(`its answer is longer than ${mostBytes} bytes`))
    answer.destroy()
  })
  return (await buffer(plain)).toString('utf8')
}

/** What a home says when it says no. Anything else could be anything, and is not repeated. */
const problemSchema = z.object({
  type: z
    .templateLiteral([
      'urn:chiyuan:problem:',
      z.enum([
        'no-agreement',
        'agreements-unknown',
        'fenced',
        'place-lost',
        'unknown-peer',
        'invalid-input',
        'overloaded',
        'store-unavailable',
        'unknown-route',
      ]),
    ])
    .transform((type) => type.slice('urn:chiyuan:problem:'.length)),
})

const problemCode = (value: unknown): string | undefined => problemSchema.safeParse(value).data?.type

function valueOf(url: URL, { status, value }: Answer): unknown {
  if (status === 200 || status === 201) return value
  throw new PeerError(`${url.host} answered ${status} ${problemCode(value) ?? ''}`.trim())
}

function understood<T>(url: URL, read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof PeerError) throw error
    // What did not fit may hold residents' data: it is not quoted.
    const where = error instanceof z.ZodError ? (error.issues[0]?.path.join('.') ?? '') : 'the answer'
    throw new PeerError(`${url.host} answered what is no page or receipt: ${where}`)
  }
}

function reasonOf(error: unknown): string {
  if (!isNativeError(error)) return String(error)
  return error.name === 'TimeoutError' || error.name === 'AbortError' ? 'no answer in time' : error.message
}
