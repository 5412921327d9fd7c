// A request's headers, read in one pass: what the gateway must know, and what goes on to the node.
import { nominatedBy, withoutNames } from './header-names.ts'

/** What the gateway keeps of a request's headers. `forward` is a flat list of those that pass unchanged. */
export interface RequestHead {
  /** Names and values of end-to-end headers, in the order and case they came in. */
  forward: string[]
  host: string
  hostCount: number
  count: number
  contentLength: string | null
  transferEncoding: string | null
  connection: string | null
  upgrade: string | null
  expect: string | null
  forwardedFor: string | null
  forwardedProto: string | null
  forwardedHost: string | null
  forwarded: string | null
  via: string | null
  cdnLoop: string | null
  traceparent: string | null
  requestId: string | null
  idempotencyKey: boolean
  accept: string
  acceptLanguage: string
  cookie: string | null
}

type Field = Exclude<keyof RequestHead, 'forward' | 'hostCount' | 'count' | 'idempotencyKey'>

/** Headers that the gateway reads and writes itself. */
const taken = new Map<string, Field>([
  ['host', 'host'],
  ['content-length', 'contentLength'],
  ['transfer-encoding', 'transferEncoding'],
  ['connection', 'connection'],
  ['upgrade', 'upgrade'],
  ['expect', 'expect'],
  ['x-forwarded-for', 'forwardedFor'],
  ['x-forwarded-proto', 'forwardedProto'],
  ['x-forwarded-host', 'forwardedHost'],
  ['forwarded', 'forwarded'],
  ['via', 'via'],
  ['cdn-loop', 'cdnLoop'],
  ['traceparent', 'traceparent'],
  ['x-request-id', 'requestId'],
])

/** Headers that are read and passed on as well. */
const noted = new Map<string, Field>([
  ['accept', 'accept'],
  ['accept-language', 'acceptLanguage'],
  ['cookie', 'cookie'],
])

// RFC 9110 section 7.6.1, and what tells a node a lie about where the request came from.
const dropped = new Set([
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'http2-settings',
  'x-real-ip',
  'x-forwarded-port',
  'x-forwarded-server',
  'x-forwarded-prefix',
  'x-chiyuan-route',
])

type Kind =
  | { readonly does: 'take' | 'note'; readonly field: Field }
  | { readonly does: 'drop' | 'pass' | 'idempotency' }

const pass: Kind = { does: 'pass' }
const drop: Kind = { does: 'drop' }

/** What is done with a header, by its name as it was spelt: a lookup instead of a lower-casing for each header. */
const kinds = new Map<string, Kind>()
const kindsAtMost = 2000

function kindOf(name: string): Kind {
  const known = kinds.get(name)
  if (known !== undefined) return known
  const kind = judgeName(name.toLowerCase())
  if (kinds.size < kindsAtMost) kinds.set(name, kind)
  return kind
}

function judgeName(lower: string): Kind {
  const takenAs = taken.get(lower)
  if (takenAs !== undefined) return { does: 'take', field: takenAs }
  const notedAs = noted.get(lower)
  if (notedAs !== undefined) return { does: 'note', field: notedAs }
  if (lower === 'idempotency-key') return { does: 'idempotency' }
  if (dropped.has(lower) || lower.startsWith('proxy-') || lower.startsWith(':')) return drop
  return pass
}

/** @param raw Node's flat list of names and values as they came in. */
export function readHead(raw: readonly string[]): RequestHead {
  const head: RequestHead = {
    forward: [],
    host: '',
    hostCount: 0,
    count: raw.length / 2,
    contentLength: null,
    transferEncoding: null,
    connection: null,
    upgrade: null,
    expect: null,
    forwardedFor: null,
    forwardedProto: null,
    forwardedHost: null,
    forwarded: null,
    via: null,
    cdnLoop: null,
    traceparent: null,
    requestId: null,
    idempotencyKey: false,
    accept: '',
    acceptLanguage: '',
    cookie: null,
  }
  const { forward } = head
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] ?? ''
    const value = raw[i + 1] ?? ''
    const kind = kindOf(name)
    if (kind.does === 'pass') forward.push(name, value)
    else if (kind.does === 'take') take(head, kind.field, value)
    else if (kind.does === 'note') {
      take(head, kind.field, value)
      if (kind.field !== 'cookie') forward.push(name, value)
    } else if (kind.does === 'idempotency') {
      head.idempotencyKey = true
      forward.push(name, value)
    }
  }
  // HTTP/2 may split a cookie header; HTTP/1.1 may not (RFC 9113 section 8.2.3).
  if (head.cookie !== null) forward.push('Cookie', head.cookie)
  if (head.connection !== null) dropNominated(head, head.connection)
  return head
}

function take(head: RequestHead, field: Field, value: string): void {
  if (field === 'host') head.hostCount += 1
  const before = head[field]
  if (before === null || before === '') head[field] = value
  else if (field === 'cookie') head[field] = `${before}; ${value}`
  else if (field !== 'host') head[field] = `${before}, ${value}`
}

function dropNominated(head: RequestHead, connection: string): void {
  const names = nominatedBy(connection)
  head.forward = withoutNames(head.forward, names)
  if (names.has('idempotency-key')) head.idempotencyKey = false
}
