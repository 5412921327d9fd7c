// The open-loop load client: requests leave at their appointed times whatever the answers do, and latency counts from
// the appointed time, so that a stall is felt by all who would have come meanwhile. A process of its own, so that
// nothing else of the harness delays it. Run by `open.ts`.
import { Agent, request } from 'node:http'
import { nodeOf, pathOf, phoneHeaders } from '../answer.ts'
import type { OpenPlan, Sample } from './open.ts'

process.once('message', (plan: OpenPlan) => run(plan))
process.on('disconnect', () => process.exit())

type End = Pick<Sample, 'end' | 'node' | 'resent'>

function run({ port, ratePerSecond, warmUpMs, lengthMs, timeoutMs }: OpenPlan): void {
  const agent = new Agent({ keepAlive: true, maxSockets: 4096, maxFreeSockets: 4096 })
  const samples: Sample[] = []
  const everyMs = 1000 / ratePerSecond
  const warmUps = Math.round(warmUpMs / everyMs)
  const total = warmUps + Math.round(lengthMs / everyMs)
  const startedAt = performance.now() + 50
  const measuredFrom = startedAt + warmUps * everyMs
  let sent = 0
  let over = 0

  const send = (i: number): void => {
    const dueAt = startedAt + i * everyMs
    exchange({ port, path: pathOf(i), agent, timeoutMs }, (end) => {
      if (i >= warmUps) {
        samples.push({ atMs: dueAt - measuredFrom, latencyMs: performance.now() - dueAt, ...end })
      }
      over += 1
      if (over === total) report()
    })
  }
  const sendDue = (): void => {
    const now = performance.now()
    while (sent < total && startedAt + sent * everyMs <= now) send(sent++)
    if (sent < total) setTimeout(sendDue, Math.max(0, startedAt + sent * everyMs - performance.now()))
  }
  const report = (): void => {
    agent.destroy()
    process.send?.({ type: 'samples', samples }, () => process.disconnect?.())
  }
  setTimeout(() => process.send?.({ type: 'measuring' }), measuredFrom - performance.now())
  sendDue()
}

interface Exchange {
  readonly port: number
  readonly path: string
  readonly agent: Agent
  readonly timeoutMs: number
}

/**
 * One GET as a browser makes it: where a kept connection is cut before a byte of the answer, it is sent once more on
 * a new connection (RFC 9112 section 9.3.1). Some gateways count on that and cut instead of answering 502.
 */
function exchange({ port, path, agent, timeoutMs }: Exchange, ended: (end: End) => void): void {
  let done = false
  let resent = false
  const finish = (end: string, node: string | null = null): void => {
    if (done) return
    done = true
    clearTimeout(timer)
    ended({ end, node, resent })
  }
  const attempt = (): ReturnType<typeof request> => {
    const options = { host: '127.0.0.1', port, path, headers: phoneHeaders, agent: resent ? false : agent }
    let answered = false
    const outgoing = request(options, (answer) => {
      answered = true
      let body = ''
      answer.setEncoding('latin1')
      answer.on('data', (part: string) => (body += part))
      answer.on('end', () => {
        const node = nodeOf(body)
        const strange = answer.statusCode === 200 && node === null
        finish(strange ? 'not a node’s answer' : String(answer.statusCode), node)
      })
      answer.on('error', (error) => finish(reasonOf(error)))
    })
    outgoing.on('error', (error) => {
      if (done || answered || resent || !outgoing.reusedSocket) finish(reasonOf(error))
      else {
        resent = true
        current = attempt()
      }
    })
    outgoing.end()
    return outgoing
  }
  const timer = setTimeout(() => {
    finish('no answer')
    current.destroy()
  }, timeoutMs)
  let current = attempt()
}

const reasonOf = (error: Error): string =>
  'code' in error && typeof error.code === 'string' ? error.code : error.message
