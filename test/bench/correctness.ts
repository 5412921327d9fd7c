// Before anything is measured: does a contender do what a gateway must?
import { setTimeout as sleep } from 'node:timers/promises'
import { codeAnswer, nodeOf } from './answer.ts'
import type { Contender } from './contenders/contender.ts'
import { startContender } from './contenders/running.ts'
import { placeOf } from './federation.ts'
import { startFaultNodes } from './nodes/fault-nodes.ts'
import { ask, type Answer } from './probe.ts'

/** Time that a contender has to answer from a neighbour or the province once the local nodes are gone, ms. */
const failoverWithinMs = 10_000

/** What it did wrong; null where all is right. */
export async function findWrong(
  contender: Contender,
  cores: { proxy: string | null; load: string | null },
  signal: AbortSignal,
): Promise<string | null> {
  await using nodes = await startFaultNodes(cores.load)
  try {
    await using running = await startContender(contender, nodes.upstreams, cores.proxy, signal)
    const { port } = running
    const found = await ask(port)
    if (found.status !== 200 || found.body !== codeAnswer(nodeOf(found.body) ?? '')) return told('GET', found)
    if (!contender.proxies) return null
    if (placeOf(nodeOf(found.body) ?? '') !== 'local') return `a GET went to ${nodeOf(found.body)}, not home`

    const missing = await ask(port, { path: '/v1/codes/unknown' })
    if (missing.status !== 404 || nodeOf(missing.body) === null)
      return told('GET of what is unknown', missing)

    const body = JSON.stringify({ code: 'x'.repeat(2000) })
    const echoed = await ask(port, { method: 'POST', path: '/v1/verifications', body })
    if (echoed.status !== 200 || echoed.body !== body) return told('POST', echoed)

    await Promise.all(nodes.local.map((node) => node.kill()))
    return await failsOver(port, signal)
  } catch (cause) {
    return cause instanceof Error ? cause.message : String(cause)
  }
}

async function failsOver(port: number, signal: AbortSignal): Promise<string | null> {
  const until = performance.now() + failoverWithinMs
  let last = 'no answer'
  while (performance.now() < until) {
    signal.throwIfAborted()
    const answer = await ask(port).catch((cause: unknown) => {
      last = String(cause)
      return null
    })
    const node = answer === null ? null : nodeOf(answer.body)
    if (answer?.status === 200 && node !== null && placeOf(node) !== 'local') return null
    if (answer !== null) last = `status ${answer.status}`
    await sleep(100, undefined, { signal })
  }
  return `no failover within ${failoverWithinMs / 1000} s of the local nodes' death: ${last}`
}

const told = (what: string, { status, body }: Answer): string =>
  `${what} was answered with ${status} and ${body.length} bytes: ${JSON.stringify(body.slice(0, 120))}`
