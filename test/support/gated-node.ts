// A node whose answers a test lets go: what is in flight stays in flight until then.
import { expect } from '@jest/globals'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { eventually } from './eventually.ts'
import { httpUpstream } from './upstream.ts'

export interface Held {
  readonly request: IncomingMessage
  readonly response: ServerResponse
}

export async function gatedNode() {
  let held: Held[] = []
  const node = await httpUpstream((incoming, response) => held.push({ request: incoming, response }))
  return {
    node,
    /** Resolves when `count` requests have come since the last `answer`. */
    async holds(count: number): Promise<readonly Held[]> {
      await eventually(() => expect(held).toHaveLength(count))
      return held
    },
    answer(how: (one: Held, index: number) => void): void {
      for (const [index, one] of held.entries()) how(one, index)
      held = []
    },
  }
}
export type GatedNode = Awaited<ReturnType<typeof gatedNode>>
