// One probe over HTTP: whether the node answers in time, with a status that means up, and what it says of homes.
import type { ClientRequest } from 'node:http'
import type { CodeNode } from '../../model/region.ts'
import { faultInWords } from '../node-tls/fault.ts'
import type { AskNode } from './ask-node.ts'
import type { Probe, ProbeResult } from './prober.ts'
import { cutOff, readReadiness } from './readiness.ts'

export interface HttpProbeSettings {
  readonly path: string
  readonly timeoutMs: number
  readonly expectedStatuses: readonly number[]
}

/** @param settings Read anew for every probe, so that a reload takes effect. */
export const httpProbe =
  (ask: AskNode, settings: () => HttpProbeSettings): Probe =>
  (node, signal) => {
    const now = settings()
    return probeOnce(ask(node, now.path, signal, now.timeoutMs), node, now)
  }

function probeOnce(
  request: ClientRequest,
  node: CodeNode,
  settings: HttpProbeSettings,
): Promise<ProbeResult> {
  return new Promise((resolve) => {
    let isAnswered = false
    const timer = setTimeout(() => {
      // It answered well, and only what it had to add did not come.
      if (isAnswered) finish({ good: true, readiness: cutOff(settings.timeoutMs) })
      else finish({ good: false, detail: `probe had no answer within ${settings.timeoutMs} ms` })
    }, settings.timeoutMs)
    const finish = (result: ProbeResult): void => {
      clearTimeout(timer)
      resolve(result)
      request.destroy()
    }
    request.on('error', (error) =>
      finish({
        good: false,
        detail: `probe failed: ${faultInWords(error, node.origin.startsWith('https:'))}`,
      }),
    )
    request.on('response', (response) => {
      const status = response.statusCode ?? 0
      isAnswered = settings.expectedStatuses.includes(status)
      if (!isAnswered) {
        finish({ good: false, detail: `probe of ${settings.path} answered ${status}` })
        return
      }
      void readReadiness(response).then((readiness) => finish({ good: true, readiness }))
    })
    request.end()
  })
}
