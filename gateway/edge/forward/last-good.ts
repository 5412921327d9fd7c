// The last good answer to each resident, kept in bounded memory for when every level fails. Never another resident's.
import { LRUCache } from 'lru-cache'
import { headersForResident } from '../answer-headers.ts'
import { type Staleness, stalenessOf } from '../../policy/staleness.ts'
import type { Exchange } from '../exchange.ts'
import { headerName, nominatedBy } from '../header-names.ts'
import { endBody, sendHead } from '../http.ts'
import type { Attempt } from './attempt.ts'

interface Kept {
  /** As a resident gets them; without what belongs to one answer alone. */
  readonly headers: readonly string[]
  readonly body: Buffer
  /** Wall-clock ms at which the node gave it, to be told. */
  readonly at: number
  /** The same by the monotonic clock, from which its age is measured. */
  readonly since: number
  readonly staleness: Staleness
  /** Headers outside its name on which it depends, and a digest of what they were. */
  readonly varies: readonly string[]
  readonly varied: string
}

export interface Clocks {
  /** Monotonic ms. */
  now(): number
  /** Ms since 1970; may be set. */
  wallNow(): number
}

/** Of one answer alone, or of its way. */
const passing: ReadonlySet<string> = new Set(['x-request-id', 'x-chiyuan-route', 'age', 'connection'])

/**
 * Request headers that do not change what an answer says, so that a resident finds the answer again from another
 * network or browser version. All others, credentials first of all, are part of its name. By whole names: proxies put
 * credentials into such as `X-Forwarded-User`.
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
  'upgrade-insecure-requests',
  'save-data',
  'via',
  'cdn-loop',
  'traceparent',
  'host',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-request-id',
])

/** Of one request alone or written by gateways: an answer that depends on one of them is never found again. */
const ofOneRequest: ReadonlySet<string> = new Set([
  'tracestate',
  'baggage',
  'via',
  'cdn-loop',
  'traceparent',
  'forwarded',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-forwarded-host',
  'x-request-id',
])

/** What a `Connection` may name without taking anything of the request's own away from the node. */
const ofTheHop: ReadonlySet<string> = new Set(['keep-alive', 'te', 'upgrade', 'http2-settings'])

export class LastGood {
  private readonly kept: LRUCache<string, Kept>
  private readonly clocks: Clocks

  /** @param memoryBytes What bodies and headers may take up together. */
  constructor(memoryBytes: number, clocks: Clocks) {
    this.clocks = clocks
    this.kept = new LRUCache({
      maxSize: memoryBytes,
      sizeCalculation: ({ body, headers }) => sizeOf(body, headers),
    })
  }

  /**
   * Takes note of a node's answer: a 200 is kept in place of the one before. An answer that may not be kept, or that
   * says no, ends the one before all the same: who was refused meanwhile must not be shown that once it was granted.
   *
   * @param body The whole body, or `null` where it is too long to hold.
   */
  note(exchange: Exchange, attempt: Attempt, body: Buffer | null): void {
    if (!exchange.view.config.lastGood.enabled) {
      this.kept.clear()
      return
    }
    const { status, rawHeaders } = attempt
    // Another gateway's last good is nothing that a node said now.
    if (!isVerdict(status) || valuesOf(rawHeaders, 'x-chiyuan-last-good') !== '') return
    const name = nameOf(exchange)
    if (name === null) return
    const kept = status === 200 && body !== null ? this.keepable(exchange, attempt, body) : null
    if (kept === null) this.kept.delete(name)
    else this.kept.set(name, kept)
  }

  /** Answers with what was kept, marked with its age. Returns false where there is nothing that may be served. */
  serve(exchange: Exchange): boolean {
    const { view, response, requestId } = exchange
    const { enabled, maxAgeSeconds } = view.config.lastGood
    if (!enabled) this.kept.clear()
    if (!enabled || response.headersSent) return false
    const name = nameOf(exchange)
    const kept = name === null ? undefined : this.kept.get(name)
    if (kept === undefined || valuesFor(exchange, kept.varies) !== kept.varied) return false
    const { freshSeconds, mostSeconds } = kept.staleness
    const ageMs = this.clocks.now() - kept.since
    if (ageMs > Math.min(maxAgeSeconds, mostSeconds) * 1000) return false
    const age = Math.floor(ageMs / 1000)
    sendHead(response, 200, 'OK', [
      ...kept.headers,
      'Content-Length',
      String(kept.body.length),
      'Age',
      String(age),
      // RFC 9211: answered from what was stored, since nobody could be asked. Below 0 it is stale.
      'Cache-Status',
      `${cacheName(view.config.gatewayId)}; hit; ttl=${freshSeconds - age}; detail=last-good`,
      'X-Chiyuan-Last-Good',
      new Date(kept.at).toISOString(),
      'X-Request-Id',
      requestId,
    ])
    endBody(response, kept.body.length === 0 ? undefined : kept.body)
    return true
  }

  /** @returns `null` for what may not be kept. */
  private keepable(exchange: Exchange, { rawHeaders, pick }: Attempt, body: Buffer): Kept | null {
    if (body.length > exchange.view.config.lastGood.answerBytes) return null
    if (!mayBeKept(exchange.head.forward, rawHeaders)) return null
    const varies = variesBy(rawHeaders)
    if (varies === null) return null
    const from = { node: pick.node, level: pick.level, attempts: 1 }
    const { headers } = headersForResident(rawHeaders, exchange, from)
    const lasting: string[] = []
    for (let i = 0; i < headers.length; i += 2) {
      if (!passing.has((headers[i] ?? '').toLowerCase())) lasting.push(headers[i] ?? '', headers[i + 1] ?? '')
    }
    // A cache on the way may have had it for a while (RFC 9111 section 5.1).
    const ageMs = Number(/^\d+/.exec(valuesOf(rawHeaders, 'age'))?.[0] ?? 0) * 1000
    // A copy: the node's bytes lie in a larger block that would be kept with them.
    return {
      headers: lasting,
      body: Buffer.from(body),
      at: this.clocks.wallNow() - ageMs,
      since: this.clocks.now() - ageMs,
      staleness: stalenessOf(valuesOf(rawHeaders, 'cache-control')),
      varies,
      varied: valuesFor(exchange, varies),
    }
  }
}

/** @returns `null` for what has no answer of its own to keep. */
function nameOf(exchange: Exchange): string | null {
  const { method, resident, view, home, key, prefix, publicHost, path, head } = exchange
  if (method !== 'GET' || !resident || hidesItsOwn(exchange)) return null
  let text = `${home.region.code}\n${key}\n${prefix}\n${publicHost}\n${path}`
  const { forward } = head
  for (let i = 0; i < forward.length; i += 2) {
    const name = (forward[i] ?? '').toLowerCase()
    if (name === 'range') return null
    if (!immaterial.has(name) && !ofTheBrowser(name)) text += `\n${name}\n${forward[i + 1]}`
  }
  return view.digest(text)
}

/** @returns Headers outside the name on which the answer depends; `null` where it can't be told to whom it may be shown. */
function variesBy(answered: readonly (Buffer | string)[]): string[] | null {
  const named = valuesOf(answered, 'vary').split(',')
  const wanted = named.map((name) => name.trim())
  if (wanted.some((name) => name === '*' || ofOneRequest.has(name))) return null
  // The host that was asked is in the name, as the resident wrote it.
  return wanted.filter((name) => (immaterial.has(name) || ofTheBrowser(name)) && name !== 'host')
}

function valuesFor({ head, view }: Exchange, varies: readonly string[]): string {
  if (varies.length === 0) return ''
  return view.digest(varies.map((name) => `${name}\n${valuesOf(head.forward, name)}`).join('\n'))
}

/** A `Connection` that names a credential keeps it from the node, and from the name of the answer. */
function hidesItsOwn({ head, request }: Exchange): boolean {
  if (head.connection === null) return false
  for (const name of nominatedBy(head.connection)) {
    if (!ofTheHop.has(name) && Object.hasOwn(request.headers, name)) return true
  }
  return false
}

const ofTheBrowser = (name: string): boolean => name.startsWith('sec-fetch-') || name.startsWith('sec-ch-')

/** A node's word on the request, as against "not now" (408, 429, 5xx) and "as before" (304). */
const isVerdict = (status: number): boolean =>
  status < 500 && status !== 304 && status !== 408 && status !== 429

/** RFC 9111 sections 5.2.1.5 and 5.2.2.5 are kept to; an answer that starts a session belongs to that moment. */
function mayBeKept(asked: readonly string[], answered: readonly (Buffer | string)[]): boolean {
  const told = `${valuesOf(asked, 'cache-control')}, ${valuesOf(answered, 'cache-control')}`
  if (told.includes('no-store')) return false
  return valuesOf(answered, 'set-cookie') === ''
}

/** All values of a header, lower-cased, as the sender wrote them: what the gateway leaves out counts as well. */
function valuesOf(flat: readonly (Buffer | string)[], wanted: string): string {
  let values = ''
  for (let i = 0; i < flat.length; i += 2) {
    if (headerName(flat[i]).lower === wanted) values += `${flat[i + 1]?.toString('latin1') ?? ''},`
  }
  return values.toLowerCase()
}

/** A structured field's token starts with no digit (RFC 9651 section 3.3.4); such a name is written as a string. */
const cacheName = (gatewayId: string): string => (/^\d/.test(gatewayId) ? `"${gatewayId}"` : gatewayId)

function sizeOf(body: Buffer, headers: readonly string[]): number {
  // What an entry costs besides its text, about.
  let size = 400 + body.length
  for (const part of headers) size += part.length
  return size
}
