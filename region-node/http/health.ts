// /healthz, /readyz, /load: what probers and the gateway ask about the node itself.
import { z } from 'zod'
import { regionCodeSchema } from '../resident.ts'
import { copiesReport, failedChecks, failedFor, homesNotServed } from '../readiness.ts'
import type { CodeService } from '../service.ts'
import { aliveAnswer, loadAnswer, readyAnswer } from './answers.ts'
import { readInput } from './input.ts'
import { sendProblem } from './problem.ts'
import { sendJson } from './reply.ts'
import type { Route } from './routes.ts'

const readyQuery = z.object({
  home: regionCodeSchema.optional().describe('Ask for residents of that home alone'),
})

export function healthRoutes(service: CodeService): Route[] {
  const { gate, nodeName, regionCode } = service
  const identity = { node: nodeName, region: regionCode, data: 'synthetic' }
  return [
    {
      path: '/healthz',
      docs: { get: { summary: 'Whether the process lives', answer: aliveAnswer, problems: [] } },
      get: (_req, res) => sendJson(res, 200, { status: 'alive', ...identity }),
    },
    {
      path: '/load',
      docs: { get: { summary: 'How busy the node is', answer: loadAnswer, problems: [] } },
      get: (_req, res) => sendJson(res, 200, { ...gate.report(), copies: copiesReport(service) }),
    },
    {
      path: '/readyz',
      docs: {
        get: {
          summary: 'Whether to send requests here',
          query: readyQuery,
          answer: readyAnswer,
          problems: [400, 503],
        },
      },
      get: (req, res) => {
        const home = readInput(readyQuery, req.query, 'query').home
        const notReadyFor = homesNotServed(service)
        const checks = [...failedChecks(service), ...(home === undefined ? [] : failedFor(service, home))]
        const copies = copiesReport(service)
        if (checks.length === 0)
          return sendJson(res, 200, { status: 'ready', ...identity, notReadyFor, copies })
        return sendProblem(res, {
          status: 503,
          code: 'not-ready',
          title: 'Not ready',
          detail: `Failed: ${checks.map(({ check, detail }) => `${check} (${detail})`).join(', ')}`,
          extra: { failed: checks, copies },
        })
      },
    },
  ]
}
