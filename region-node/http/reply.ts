// Writes answers. Straight to node:http: Express's `res.json` would add an ETag and cost more.
import type { ServerResponse } from 'node:http'

/** A resident's data must not stay in any cache on the way. */
const CACHE_CONTROL = 'private, no-store'

export function sendText(
  res: ServerResponse,
  status: number,
  body: string,
  contentType: string,
  headers?: Readonly<Record<string, string>>,
): void {
  const length = Buffer.byteLength(body)
  res.writeHead(status, {
    'content-type': contentType,
    'content-length': length,
    'cache-control': CACHE_CONTROL,
    ...headers,
  })
  // Plain ASCII, which most answers are, reaches the socket faster without the UTF-8 encoder.
  res.end(body, length === body.length ? 'latin1' : 'utf8')
}

export function sendJson(
  res: ServerResponse,
  status: number,
  value: unknown,
  headers?: Readonly<Record<string, string>>,
): void {
  sendText(res, status, JSON.stringify(value), 'application/json', headers)
}
