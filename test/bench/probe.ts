// Single requests of the harness itself, each on a connection of its own and with a deadline.
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { nodeOf, pathOf, phoneHeaders } from './answer.ts'
import type { Started } from './processes.ts'

export interface Answer {
  readonly status: number
  readonly body: string
}

export interface Ask {
  readonly method?: string
  readonly path?: string
  readonly body?: string
}

/** @throws {Error} where there is no whole answer within 5 s. */
export function ask(port: number, { method = 'GET', path = pathOf(1), body }: Ask = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers =
      body === undefined ? phoneHeaders : { ...phoneHeaders, 'content-type': 'application/json' }
    const outgoing = request(
      {
        host: '127.0.0.1',
        port,
        method,
        path,
        headers,
        agent: false,
        signal: AbortSignal.timeout(5000),
      },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('data', (part: string) => (text += part))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body: text }))
        answer.on('error', reject)
      },
    )
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}

/**
 * Waits until a node's answer comes back on `port`.
 * @throws {Error} with what the process said, where it ended or does not answer within 15 s.
 */
export async function waitForAnswer(port: number, process: Started, signal: AbortSignal): Promise<void> {
  const until = performance.now() + 15_000
  while (performance.now() < until && !process.isOver) {
    const answer = await ask(port).catch(() => null)
    if (answer?.status === 200 && nodeOf(answer.body) !== null) return
    await sleep(50, undefined, { signal })
  }
  const why = process.isOver ? 'it ended' : 'no answer within 15 s'
  throw new Error(`${why}; it said: ${process.output.trim() || 'nothing'}`)
}
