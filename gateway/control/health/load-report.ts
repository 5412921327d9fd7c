// Asks nodes for their own load report: the limit that they state can lower what was learnt of them, never raise it.
import type { ClientRequest } from 'node:http'
import { z } from 'zod'
import type { AskNode } from './ask-node.ts'
import type { Board } from './board.ts'
import type { Probe } from './prober.ts'

const report = z.object({ limit: z.number().int().min(1).max(1_000_000) })
const longestReport = 4096

export interface LoadReportSettings {
  /** Where nodes report; `undefined` where they are not asked. */
  readonly path: string | undefined
  readonly timeoutMs: number
  /** This process's share of what a node says that it takes, above 0 to 1. */
  readonly share: number
}

/**
 * `probe`, with every good answer followed by a look at the node's load report. A report that is missing, no JSON or
 * makes no sense counts as none: the node is then bounded by what is measured alone.
 */
export function withLoadReports(
  probe: Probe,
  ask: AskNode,
  board: Board,
  settings: () => LoadReportSettings,
): Probe {
  return async (node, signal) => {
    const result = await probe(node, signal)
    const { path, timeoutMs, share } = settings()
    const state = board.state(node)
    if (state === undefined) return result
    if (path === undefined) state.reportedLimit = Infinity
    else if (result.good) {
      const limit = await askLimit(ask(node, path, signal, timeoutMs), timeoutMs)
      state.reportedLimit = limit === null ? Infinity : Math.max(1, Math.floor(limit * share))
    }
    return result
  }
}

function askLimit(request: ClientRequest, timeoutMs: number): Promise<number | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => finish(null), timeoutMs)
    const finish = (limit: number | null): void => {
      clearTimeout(timer)
      resolve(limit)
      request.destroy()
    }
    // A node without a report is no worse a node.
    request.on('error', () => finish(null))
    request.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
        if (text.length > longestReport) finish(null)
      })
      response.on('end', () => finish(response.statusCode === 200 ? limitIn(text) : null))
      response.on('error', () => finish(null))
    })
    request.end()
  })
}

/** @returns `null` for what is no report. */
function limitIn(text: string): number | null {
  try {
    const parsed = report.safeParse(JSON.parse(text))
    return parsed.success ? parsed.data.limit : null
  } catch {
    return null
  }
}
