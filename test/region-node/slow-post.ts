// A POST whose body is held back, so that a test decides how long it is in flight.
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'

export interface SlowPost {
  /** Sends the body and resolves with the answer. */
  finish(): Promise<{ status: number | undefined; headers: IncomingMessage['headers']; body: unknown }>
  abort(): void
}

/** Resolves when the server has the request in hand: it answered `Expect: 100-continue`. */
export async function beginSlowPost(
  url: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<SlowPost> {
  const payload = JSON.stringify(body)
  const post = request(url, {
    method: 'POST',
    // Kept alive, as a gateway's would be: a node that stops must not wait for such a connection.
    agent: new Agent({ keepAlive: true }),
    headers: {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(payload),
      expect: '100-continue',
      ...headers,
    },
  })
  post.on('error', () => undefined)
  post.flushHeaders()
  await once(post, 'continue')
  return {
    finish: async () => {
      const answered = new Promise<IncomingMessage>((resolve, reject) => {
        post.once('response', resolve)
        post.once('error', reject)
      })
      post.end(payload)
      const response = await answered
      return {
        status: response.statusCode,
        headers: response.headers,
        body: JSON.parse(await text(response)),
      }
    },
    abort: () => post.destroy(),
  }
}
