// Status and headers of the answer that won, as the resident gets them.
import { headersForResident } from '../answer-headers.ts'
import type { Exchange } from '../exchange.ts'
import { sendHead } from '../http.ts'
import type { Attempt } from './attempt.ts'

/**
 * @param tries Tries so far, the winning one included.
 * @param body The whole body, or `null` where it will be passed on in parts.
 * @returns false where the node's headers can't be sent on, such as one with a control character: as bad as no HTTP.
 */
export function sendAnswerHead(
  exchange: Exchange,
  attempt: Attempt,
  tries: number,
  body: Buffer | null,
): boolean {
  const { pick, status, reason, rawHeaders } = attempt
  const from = { node: pick.node, level: pick.level, attempts: tries }
  const { headers, contentLength } = headersForResident(rawHeaders, exchange, from)
  const length = declaredLength(exchange.method, status, body, contentLength)
  if (length !== null) headers.push('Content-Length', length)
  try {
    sendHead(exchange.response, status, reason, headers)
    return true
  } catch {
    return false
  }
}

/** Content-Length as the resident shall see it; `null` where there is none to tell (RFC 9110 section 8.6). */
function declaredLength(
  method: string,
  status: number,
  body: Buffer | null,
  declared: string | null,
): string | null {
  if (method === 'HEAD' || status === 304) return declared
  if (status === 204) return null
  return body === null ? declared : String(body.length)
}
