// What every answer is looked at for as it comes, and all that is kept of it: findings, never the answer itself.
import { problemSchema, readJson } from './contract.ts'

export interface Observed {
  /** Of the request, without ids: `GET /v1/codes/{id}`. */
  readonly name: string
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  /** Whether it is about a resident. */
  readonly personal: boolean
  /** Whether the HTTP parser may have answered in the node's place, which knows no problems. */
  readonly byParser: boolean
}

export type FindingKind = 'id-number' | 'resident-id' | 'internals' | 'banner' | 'caching' | 'form'

export interface Finding {
  readonly kind: FindingKind
  readonly name: string
  /** What was found, in words; nothing of a resident. */
  readonly what: string
}

// 18 characters with a day of birth in their middle (vocabulary aligned with GB 11643); the check digit may be wrong.
const idNumber = /(?<![\w-])\d{6}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx](?![\w-])/

const internals: readonly (readonly [RegExp, string])[] = [
  [/\n?\s+at \S+.*[:(]\d+|Traceback \(most recent|\.java:\d+\)|goroutine \d+ \[/, 'a stack trace'],
  [/\bSELECT\b.+\bFROM\b|\bINSERT INTO\b|\bUPDATE\b.+\bSET\b|\bSQLITE_|\bORA-\d{5}/i, 'SQL'],
  [/(?:^|[\s"'(])(?:\/(?:home|usr|var|opt|srv|app|etc)\/|[A-Z]:\\\\?)\w/, 'a path of its machine'],
]

/** Every finding in one answer. @param ids Of residents, as the request sent them. */
export function findingsIn(answer: Observed, ids: readonly string[]): Finding[] {
  const found: Finding[] = []
  const add = (kind: FindingKind, what: string): unknown => found.push({ kind, name: answer.name, what })
  const all = `${Object.values(answer.headers).join('\n')}\n${answer.body}`
  if (idNumber.test(all)) add('id-number', 'what looks like an ID number')
  if (ids.some((id) => all.includes(id))) add('resident-id', 'an id that was sent to it')
  if (answer.status >= 400) {
    for (const [pattern, what] of internals) if (pattern.test(readable(answer.body))) add('internals', what)
    if (!answer.byParser) addForm(answer, add)
  }
  if ('x-powered-by' in answer.headers) add('banner', 'X-Powered-By')
  if (/\d/.test(answer.headers['server'] ?? '')) add('banner', 'a version in Server')
  if (answer.personal) addCaching(answer, add)
  return found
}

/** The text as a person reads it: `\n` in a JSON string is a line break. */
const readable = (body: string): string => body.replaceAll('\\n', '\n').replaceAll('\\"', '"')

function addForm({ status, headers, body }: Observed, add: (kind: 'form', what: string) => unknown): void {
  const type = headers['content-type'] ?? 'no Content-Type'
  if (!/^application\/problem\+json\s*(;|$)/i.test(type))
    return void add('form', `status ${status} with ${type}`)
  // HEAD has no body.
  if (body === '') return
  const read = problemSchema.safeParse(readJson(body))
  if (!read.success) return void add('form', `status ${status} without type, title or status`)
  if (read.data.status !== status) add('form', `status ${status}, and ${read.data.status} in its body`)
}

/** Caches keep what a POST is answered, and most errors, only where they are told to (RFC 9111 section 3). */
function addCaching(answer: Observed, add: (kind: 'caching', what: string) => unknown): void {
  const control = (answer.headers['cache-control'] ?? '').toLowerCase()
  const keptUntold = answer.status < 300 && !answer.name.startsWith('POST')
  if (/\bpublic\b|\bs-maxage\b/.test(control)) add('caching', 'an answer that shared caches may keep')
  else if (keptUntold && !/\bprivate\b|\bno-store\b/.test(control)) {
    add('caching', 'neither private nor no-store in Cache-Control')
  }
}
