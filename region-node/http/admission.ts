// What happens to a request before Express sees it: counted, or refused at once when the node is full.
import type { RequestListener, ServerResponse } from 'node:http'
import type { LoadGate } from '../load-gate.ts'
import { retryAfter, sendProblem } from './problem.ts'

// Answered even by a full node: a prober must be able to tell "full" from "dead".
const EXEMPT = new Set(['/healthz', '/readyz', '/load'])

export interface Admission {
  readonly listener: RequestListener
  /**
   * From now on every answer, also to what is in flight, tells the client to close its connection:
   * a pool that kept it would write its next request just as the node goes.
   */
  startDraining(): void
}

/** Routes with places of their own, so that neither they nor the others can take each other's. */
export interface Bulkhead {
  /** Every path that begins so. */
  readonly prefix: string
  readonly gate: LoadGate
}

/**
 * Wraps `serve` in the concurrency limits, and marks every answer's data as synthetic.
 *
 * @param gate Counts what no bulkhead does, and knows whether the node is draining.
 */
export function createAdmission(
  gate: LoadGate,
  bulkheads: readonly Bulkhead[],
  serve: RequestListener,
): Admission {
  const open = new Set<ServerResponse>()
  return {
    listener: (req, res) => {
      res.setHeader('Synthetic-Data', '?1')
      if (gate.draining) res.setHeader('Connection', 'close')
      const path = req.url?.split('?', 1)[0] ?? ''
      if (EXEMPT.has(path)) return serve(req, res)
      const own = bulkheads.find(({ prefix }) => path.startsWith(prefix))?.gate ?? gate
      if (!own.tryEnter()) return refuse(res)
      open.add(res)
      res.once('close', () => {
        open.delete(res)
        own.leave()
      })
      return serve(req, res)
    },
    startDraining: () => {
      gate.startDraining()
      for (const res of open) if (!res.headersSent) res.setHeader('Connection', 'close')
    },
  }
}

const refuse = (res: ServerResponse): void =>
  sendProblem(res, { status: 503, code: 'overloaded', title: 'The node is full', headers: retryAfter() })
