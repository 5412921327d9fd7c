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
  // Given a list, the HTTP/2 API keeps only the last of repeated names.
  for (let i = 0; i < headers.length; i += 2) {
    response.appendHeader(headers[i] ?? '', headers[i + 1] ?? '')
  }
  response.writeHead(status)
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
