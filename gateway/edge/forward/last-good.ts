// The last good answer to each resident, kept in bounded memory for when every level fails. Never another resident's.
import { LRUCache } from 'lru-cache'
import { headersForResident } from '../answer-headers.ts'
import type { Exchange } from '../exchange.ts'
import { endBody, sendHead } from '../http.ts'
import type { Attempt } from './attempt.ts'

interface Kept {
  /** As a resident gets them; without what belongs to one answer alone. */
  readonly headers: readonly string[]
  readonly body: Buffer
  /** Wall-clock ms at which the node gave it. */
  readonly at: number
}

/** Of one answer alone, or of its way. */
const passing: ReadonlySet<string> = new Set(['x-request-id', 'x-chiyuan-route', 'age', 'connection'])

/**
 * Request headers that do not change what an answer says, so that a resident finds the answer again from another
 * network or browser version. All others, credentials first of all, are part of its name.
 */
const immaterial: ReadonlySet<string> = new Set([
  'user-agent',
  'cache-control',
  'pragma',
  'if-none-match',
  'if-modified-since',
  'tracestate',
  'baggage',
  'priority',
  'dnt',
  'referer',
  'origin',
  'upgrade-insecure-requests',
  'save-data',
  'via',
  'cdn-loop',
  'traceparent',
])

export class LastGood {
  private readonly kept: LRUCache<string, Kept>
  private readonly wallNow: () => number

  /** @param memoryBytes What bodies and headers may take up together. */
  constructor(memoryBytes: number, wallNow: () => number) {
    this.wallNow = wallNow
    this.kept = new LRUCache({
      maxSize: memoryBytes,
      sizeCalculation: ({ body, headers }) => sizeOf(body, headers),
    })
  }

  /** Answers kept now. */
  get size(): number {
    return this.kept.size
  }

  /** Keeps a node's whole 200, where that may be kept. */
  keep(exchange: Exchange, { rawHeaders, pick }: Attempt, body: Buffer): void {
    const { enabled, answerBytes } = exchange.view.config.lastGood
    if (!enabled) {
      this.kept.clear()
      return
    }
    if (body.length > answerBytes) return
    const name = nameOf(exchange)
    if (name === null) return
    const from = { node: pick.node, level: pick.level, attempts: 1 }
    const { headers } = headersForResident(rawHeaders, exchange, from)
    if (!mayBeKept(headers)) return
    const lasting: string[] = []
    for (let i = 0; i < headers.length; i += 2) {
      if (!passing.has((headers[i] ?? '').toLowerCase())) lasting.push(headers[i] ?? '', headers[i + 1] ?? '')
    }
    // A copy: the node's bytes lie in a larger block that would be kept with them.
    this.kept.set(name, { headers: lasting, body: Buffer.from(body), at: this.wallNow() })
  }

  /** Answers with what was kept, marked with its age. Returns false where there is nothing that may be served. */
  serve(exchange: Exchange): boolean {
    const { view, response, requestId } = exchange
    const { enabled, maxAgeSeconds } = view.config.lastGood
    if (!enabled || response.headersSent) return false
    const name = nameOf(exchange)
    const kept = name === null ? undefined : this.kept.get(name)
    if (kept === undefined) return false
    const age = Math.max(0, Math.floor((this.wallNow() - kept.at) / 1000))
    if (age > maxAgeSeconds) return false
    sendHead(response, 200, 'OK', [
      ...kept.headers,
      'Content-Length',
      String(kept.body.length),
      'Age',
      String(age),
      // RFC 9211: answered from what was stored, which is stale, since nobody could be asked.
      'Cache-Status',
      `${view.config.gatewayId}; hit; ttl=-${age}; detail=last-good`,
      'X-Chiyuan-Last-Good',
      new Date(kept.at).toISOString(),
      'X-Request-Id',
      requestId,
    ])
    endBody(response, kept.body.length === 0 ? undefined : kept.body)
    return true
  }
}

/** @returns `null` for what has no answer of its own to keep. */
function nameOf({ method, resident, view, home, publicHost, path, head }: Exchange): string | null {
  if (method !== 'GET' || !resident) return null
  let text = `${home.region.code}\n${publicHost}\n${path}`
  const { forward } = head
  for (let i = 0; i < forward.length; i += 2) {
    const name = (forward[i] ?? '').toLowerCase()
    if (name === 'range') return null
    if (!immaterial.has(name) && !ofTheWay(name)) text += `\n${name}\n${forward[i + 1]}`
  }
  return view.digest(text)
}

const ofTheWay = (name: string): boolean =>
  name.startsWith('x-forwarded-') ||
  name.startsWith('sec-') ||
  name === 'forwarded' ||
  name === 'host' ||
  name === 'x-request-id'

/** RFC 9111 section 5.2.2.5 is kept to; an answer that starts a session belongs to that moment. */
function mayBeKept(headers: readonly string[]): boolean {
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase()
    const value = (headers[i + 1] ?? '').toLowerCase()
    if (name === 'set-cookie' || (name === 'vary' && value.includes('*'))) return false
    if (name === 'cache-control' && value.includes('no-store')) return false
  }
  return true
}

function sizeOf(body: Buffer, headers: readonly string[]): number {
  // What an entry costs besides its text, about.
  let size = 400 + body.length
  for (const part of headers) size += part.length
  return size
}
