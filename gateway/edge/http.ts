// The two kinds of request and answer that the public listener sees: HTTP/1.1, and HTTP/2 by Node's compatible API.
import { type IncomingMessage, ServerResponse } from 'node:http'
import { constants, type Http2ServerRequest, Http2ServerResponse } from 'node:http2'

export type PublicRequest = IncomingMessage | Http2ServerRequest
export type PublicResponse = ServerResponse | Http2ServerResponse

/**
 * Sends status and headers. `headers` is a flat list of names and values, in order, repeats included.
 * @throws {TypeError} when a header can't be sent, such as one with a control character.
 */
export function sendHead(response: PublicResponse, status: number, reason: string, headers: string[]): void {
  if (!(response instanceof Http2ServerResponse)) {
    response.writeHead(status, reason, headers)
    return
  }
  try {
    for (const [name, value] of http2Fields(headers)) response.setHeader(name, value)
    response.writeHead(status)
  } catch (cause) {
    // They would stand in the way of whatever is answered instead.
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    throw cause
  }
}

/**
 * Node's HTTP/2 refuses repeats of names that it knows to stand once, such as a doubled `X-Content-Type-Options`. They
 * are sent as one line, which means the same (RFC 9110 section 5.3); only cookies may not be joined.
 */
function http2Fields(headers: readonly string[]): Map<string, string | string[]> {
  const fields = new Map<string, Set<string>>()
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase()
    const values = fields.get(name)
    if (values === undefined) fields.set(name, new Set([headers[i + 1] ?? '']))
    else values.add(headers[i + 1] ?? '')
  }
  return new Map(
    [...fields].map(([name, values]) => [name, name === 'set-cookie' ? [...values] : [...values].join(', ')]),
  )
}

/** Tells an HTTP/2 client, behind its answer, that the rest of its body is not wanted (RFC 9113 section 8.1). */
export function declineRest(response: PublicResponse): void {
  if (response instanceof Http2ServerResponse) response.stream.close(constants.NGHTTP2_NO_ERROR)
}

/** Makes this answer the last of an HTTP/1.1 connection: what comes behind its request is not served. */
export function endConnectionAfter(response: PublicResponse): void {
  if (!(response instanceof Http2ServerResponse)) response.shouldKeepAlive = false
}

/** Writes a part of the body. Returns false when the client should be waited for. */
export const writeBody = (response: PublicResponse, chunk: Buffer): boolean =>
  response instanceof Http2ServerResponse ? response.write(chunk) : response.write(chunk)

/** Bodies up to this are copied into one write with the head; a second buffer would cost a gathering write. */
const oneWriteAtMost = 16_384

export function endBody(response: PublicResponse, chunk?: Buffer | string): void {
  if (chunk === undefined) response.end()
  else if (response instanceof Http2ServerResponse) response.end(chunk)
  else if (typeof chunk === 'string') response.end(chunk)
  else if (chunk.length > oneWriteAtMost) response.end(chunk)
  // Each byte becomes the character of its number and is written as that byte again.
  else response.end(chunk.toString('latin1'), 'latin1')
}

/** Node 26 can send every interim status, Node 24 only 103 with links. */
const interimOfAnyKind = 'writeInformation' in ServerResponse.prototype

/**
 * An interim answer (RFC 9110 section 15.2), such as 103. Skipped where the client could not take it, and for 100,
 * which the gateway says itself to those who ask.
 */
export function sendInterim(
  response: PublicResponse,
  version: number,
  status: number,
  headers: Record<string, string>,
): void {
  if (response.headersSent || version < 1.1 || status === 100) return
  if (response instanceof Http2ServerResponse) {
    if (!response.stream.destroyed) response.stream.additionalHeaders({ ...headers, ':status': status })
  } else if (interimOfAnyKind) response.writeInformation(status, headers)
  else if (status === 103 && headers['link'] !== undefined) {
    response.writeEarlyHints({ ...headers, link: headers['link'] })
  }
}

/** Ends the connection (or the HTTP/2 stream) under an answer that can't be completed. */
export function cut(response: PublicResponse): void {
  // Any other code than an error's would make what was sent look whole.
  if (response instanceof Http2ServerResponse) response.stream.close(constants.NGHTTP2_INTERNAL_ERROR)
  else response.destroy()
}
