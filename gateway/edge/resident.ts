// Which resident a request is about, as a keyed number: enough to keep a resident with a node, too little to name one.
import { hash } from 'node:crypto'
import type { Config } from '../../config/schema.ts'

export type ResidentKey = (
  path: string,
  header: (name: string) => string | undefined,
  cookie: string | null,
) => number | null

type PathRule = { readonly before: string; readonly after: string }

/** @param secret Key of the hash; whoever has it could tell which residents share a node. */
export function residentKey(config: Config['resident'], secret: string): ResidentKey {
  const rules = config.paths.map(toRule)
  const { header: headerName, cookie: cookieName } = config
  return (path, header, cookie) => {
    const id =
      fromPath(path, rules) ??
      (headerName === undefined ? undefined : header(headerName)) ??
      (cookieName === undefined || cookie === null ? undefined : fromCookie(cookie, cookieName))
    return id === undefined || id === '' ? null : keyed(secret, id)
  }
}

/** A name for `text` that says nothing of it to who has not the secret: 192 bits of SHA-256 over key and text. */
export const residentDigest =
  (secret: string) =>
  (text: string): string =>
    hash('sha256', secret + text, 'base64url').slice(0, 32)

/** The first 32 bits of SHA-256 over key and id. */
const keyed = (secret: string, id: string): number =>
  Number.parseInt(hash('sha256', secret + id, 'hex').slice(0, 8), 16)

function toRule(pattern: string): PathRule {
  const [before = '', after = ''] = pattern.split('{id}')
  return { before, after }
}

function fromPath(path: string, rules: readonly PathRule[]): string | undefined {
  for (const { before, after } of rules) {
    if (!path.startsWith(before)) continue
    const query = path.indexOf('?', before.length)
    const end = query === -1 ? path.length : query
    const slash = path.indexOf('/', before.length)
    const idEnd = slash === -1 || slash > end ? end : slash
    if (idEnd > before.length && path.slice(idEnd, end) === after) return path.slice(before.length, idEnd)
  }
  return undefined
}

function fromCookie(cookie: string, name: string): string | undefined {
  for (const pair of cookie.split(';')) {
    const equals = pair.indexOf('=')
    if (equals !== -1 && pair.slice(0, equals).trim() === name) return pair.slice(equals + 1).trim()
  }
  return undefined
}
