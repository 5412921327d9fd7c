// Status and headers of the answer that won, as the resident gets them.
import { STATUS_CODES } from 'node:http'
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
    sendHead(exchange.response, status, phraseOf(reason, status), headers)
    return true
  } catch {
    return false
  }
}

/** Content-Length as the resident shall see it; `null` where there is none to tell (RFC 9110 section 8.6). */
export function declaredLength(
  method: string,
  status: number,
  body: Buffer | null,
  declared: string | null,
): string | null {
  if (status === 204) return null
  if (method === 'HEAD' || status === 304) return declared
  return body === null ? declared : String(body.length)
}

/**
 * A reason phrase as it can be sent: undici reads it as UTF-8, and Node writes each character as the byte of its number
 * (RFC 9112 section 4 allows any byte from 0x80 on). What was not UTF-8 can't be told any more; nobody acts on it.
 */
function phraseOf(reason: string, status: number): string {
  if (ascii.test(reason)) return reason
  return reason.includes('\uFFFD') ? (STATUS_CODES[status] ?? '') : Buffer.from(reason).toString('latin1')
}

const ascii = /^[\t\x20-\x7e]*$/
