// A node as bytes: keeps what came over each connection, and answers with bytes that a test gives.
import type { Socket } from 'node:net'
import { rawUpstream, type Upstream } from './upstream.ts'

export interface Wire extends Upstream {
  /** Bytes of each connection that was no probe, as latin1, in the order of their coming. */
  readonly seen: readonly string[]
}

const plain = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'

/**
 * @param answer Called once for each whole request; returns the bytes of the answer, or writes them itself.
 * Probes of /healthz are answered by themselves.
 */
export async function wireUpstream(
  answer: (request: string, socket: Socket) => string | undefined = () => plain,
): Promise<Wire> {
  const seen: string[] = []
  const upstream = await rawUpstream((socket) => {
    let at = -1
    let text = ''
    let answered = 0
    socket.setEncoding('latin1')
    socket.on('data', (chunk: string) => {
      text += chunk
      if (/^(GET|HEAD) \/healthz /.test(text)) {
        socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n')
        return
      }
      if (at === -1) at = seen.push(text) - 1
      seen[at] = text
      for (let end = requestEnd(text, answered); end !== -1; end = requestEnd(text, answered)) {
        const request = text.slice(answered, end)
        answered = end
        const bytes = answer(request, socket)
        if (bytes !== undefined) socket.write(bytes, 'latin1')
      }
    })
  })
  return Object.defineProperties({ ...upstream, seen }, Object.getOwnPropertyDescriptors(upstream))
}

/** Where the request that begins at `from` ends, or -1 while it is not whole. */
function requestEnd(text: string, from: number): number {
  const headEnd = text.indexOf('\r\n\r\n', from)
  if (headEnd === -1) return -1
  const head = text.slice(from, headEnd)
  const bodyStart = headEnd + 4
  if (/^transfer-encoding: *chunked$/im.test(head)) {
    const end = text.indexOf('0\r\n\r\n', bodyStart)
    return end === -1 ? -1 : end + 5
  }
  const length = Number(/^content-length: *(\d+)$/im.exec(head)?.[1] ?? 0)
  return text.length < bodyStart + length ? -1 : bodyStart + length
}

/** Value of a header in raw bytes, whatever its case, or `undefined`; repeats joined by `|`. */
export function headerIn(text: string, name: string): string | undefined {
  const head = text.slice(0, text.indexOf('\r\n\r\n'))
  const values = head
    .split('\r\n')
    .slice(1)
    .filter((line) => line.slice(0, line.indexOf(':')).toLowerCase() === name.toLowerCase())
    .map((line) => line.slice(line.indexOf(':') + 1).trim())
  return values.length === 0 ? undefined : values.join('|')
}
