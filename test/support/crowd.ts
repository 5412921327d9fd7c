// A crowd in front of small nodes: regions with limits and quotas, and nodes that answer only when they are told.
import type { IncomingMessage, ServerResponse } from 'node:http'
import { startTestGateway, type TestGateway } from './gateway.ts'
import { httpUpstream, type Upstream } from './upstream.ts'

/** A region as the file would have it. `nodes` by name: the address, or address and limit. */
export const region = (
  code: string,
  nodes: Readonly<Record<string, string | { url: string; limit: number }>>,
  more: Readonly<Record<string, unknown>> = {},
) => ({
  code,
  name: { zh: code, en: code },
  nodes: Object.entries(nodes).map(([id, node]) =>
    typeof node === 'string' ? { id, url: node } : { id, url: node.url, limit: node.limit },
  ),
  ...more,
})

/** A gateway whose first region is everybody's home unless `x-home` names another. */
export const startCrowd = (
  regions: readonly ReturnType<typeof region>[],
  changes: Record<string, unknown> = {},
): Promise<TestGateway> =>
  startTestGateway([{ code: regions[0]?.code ?? '', nodes: {} }], {
    home: { header: 'x-home' },
    regions,
    ...changes,
  })

export interface HeldNode {
  readonly node: Upstream
  /** Paths of all requests so far, in order. */
  readonly seen: readonly string[]
  /** Requests that wait for their answer. */
  readonly open: number
  /** Answers the oldest `count` with the node's name. */
  release(count?: number): void
  /** Answers whatever comes from now on at once, and what waits. */
  letGo(): void
  [Symbol.asyncDispose](): Promise<void>
}

/** A node that keeps its requests until the test lets them go. */
export async function heldNode(name: string): Promise<HeldNode> {
  const seen: string[] = []
  const held: ServerResponse[] = []
  let going = false
  const node = await httpUpstream((request: IncomingMessage, response) => {
    seen.push(request.url ?? '')
    request.resume()
    if (going) response.end(name)
    else held.push(response)
  })
  const release = (count = held.length): void => {
    for (const response of held.splice(0, count)) response.end(name)
  }
  return {
    node,
    seen,
    get open() {
      return held.length
    },
    release,
    letGo() {
      going = true
      release()
    },
    [Symbol.asyncDispose]: () => node.close(),
  }
}

export interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: Headers
}

/** @param home Region of the resident; the default home's without it. */
export async function ask(edge: TestGateway, path: string, home?: string): Promise<Answer> {
  const response = await fetch(edge.url + path, home === undefined ? {} : { headers: { 'x-home': home } })
  return { status: response.status, body: await response.text(), headers: response.headers }
}

export const waiting = (edge: TestGateway): Promise<number> => edge.metric('chiyuan_requests_waiting')
