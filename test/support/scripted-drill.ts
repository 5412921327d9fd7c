// A gateway as the command line sees it, with one wide drill: what it answers is a script, so that a moment can be chosen.
import { createServer, type Server } from 'node:http'

export interface ScriptedDrill {
  readonly server: Server
  /** Method and path of each request, without its query. */
  readonly asked: readonly string[]
}

const time = '2026-01-05T00:00:00.000Z'
const drill = (state: string) => ({
  id: 'd1',
  name: 'wide',
  reason: 'a test',
  owner: 'Li',
  approver: 'Wang',
  state,
  scope: { homes: ['610100'], regions: [], nodes: [], levels: ['local'] },
  fault: { kind: 'refuse' },
  cohort: 0.5,
  seconds: 1,
  objectives: { detectMs: null, shiftMs: null, recoverMs: null, errorShare: null, addedP99Ms: null },
  stop: { errorShare: 0.05, addedP99Ms: null },
  schedule: null,
  createdAt: time,
  nextAt: null,
  run:
    state === 'reported'
      ? {
          startedAt: time,
          faultAt: time,
          endsAt: time,
          endedAt: time,
          ending: 'time',
          detail: '',
          overruled: [],
        }
      : null,
})
const waits = { name: 'wait-period', isHard: false, home: '610100', node: null, found: 900, bound: 1000 }
const foreseen = {
  drill: drill('previewed'),
  needsApproval: true,
  radius: { homes: ['610100'], nodes: { '610100': ['xian-1'] }, cohort: 0.5, trafficShare: 1 },
  objections: [waits],
  warnings: [],
  words: {},
}
const progress = (phase: string) => ({
  name: 'wide',
  state: 'running',
  phase,
  now: time,
  faultAt: time,
  endsAt: time,
  timeline: {},
  measured: null,
})
const report = {
  verdict: 'passed',
  run: { ending: 'time', detail: '' },
  times: { detectMs: 1, shiftMs: 2, recoverMs: 3 },
  cohort: { underFault: { requests: 4, errors: 0 } },
}

/** Its wait period is not over at the first start, and its second look at how it goes is lost. */
export function scriptedDrill(): ScriptedDrill {
  const asked: string[] = []
  const times = (what: string): number => asked.filter((one) => one === what).length
  const server = createServer((request, response) => {
    const [path = ''] = (request.url ?? '').replace('/api/v1', '').split('?')
    const what = `${request.method} ${path}`
    asked.push(what)
    request.resume()
    const answer = (body: object, status = 200): void =>
      void response.writeHead(status, { etag: '"1"' }).end(JSON.stringify(body))
    const looks = times('GET /drills/d1/progress')
    if (what === 'POST /drills') answer(drill('draft'), 201)
    else if (path === '/drills/d1/preview') answer(foreseen)
    else if (path === '/drills/d1/start' && times(what) === 1) {
      answer({ type: 'urn:chiyuan:problem:guarded', title: 'guarded', status: 409, objections: [waits] }, 409)
    } else if (path === '/drills/d1/start') answer(drill('running'))
    else if (path === '/drills/d1/progress' && looks === 2) request.socket.destroy()
    else if (path === '/drills/d1/progress') answer(progress(looks === 1 ? 'fault' : 'over'))
    else if (path === '/drills/d1/report') answer(report)
    else answer(drill(looks > 2 ? 'reported' : 'approved'))
  })
  return { server, asked }
}
