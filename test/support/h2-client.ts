// Requests over HTTP/2, told apart by how their streams end.
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2'

export interface H2Answer {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: Buffer
  /** Code of the RST_STREAM that ended it; 0 where it ended by itself. */
  readonly resetCode: number
  /** The server said that the answer was whole. */
  readonly whole: boolean
  readonly interim: readonly number[]
}

/** Ends with the block that it is declared in. */
export interface H2Client extends Disposable {
  readonly session: ClientHttp2Session
}

export function connectH2(port: number): H2Client {
  const session = connect(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  session.on('error', () => {})
  return { session, [Symbol.dispose]: () => session.destroy() }
}

export function request(
  session: ClientHttp2Session,
  headers: OutgoingHttpHeaders,
  body?: Buffer | string,
): Promise<H2Answer> {
  const stream = session.request(headers, { endStream: body === undefined })
  if (body !== undefined) stream.end(body)
  return answerOf(stream)
}

export function answerOf(stream: ClientHttp2Stream): Promise<H2Answer> {
  return new Promise((resolve) => {
    let received: Record<string, unknown> = {}
    let ended = false
    const interim: number[] = []
    const parts: Buffer[] = []
    stream.on('headers', (early) => interim.push(Number(early[':status'])))
    stream.on('response', (headers) => (received = { ...headers }))
    stream.on('data', (part: Buffer) => parts.push(part))
    stream.on('end', () => (ended = true))
    stream.on('error', () => {})
    stream.on('close', () =>
      resolve({
        status: Number(received[':status']),
        headers: received,
        body: Buffer.concat(parts),
        resetCode: stream.rstCode,
        whole: ended && stream.rstCode === 0,
        interim,
      }),
    )
  })
}
