// Fills the node up to the limit that it declares and a little beyond, and looks what it answers while it is full.
import { setTimeout as delay } from 'node:timers/promises'
import type { Answer, Asked, ConformanceClient, HeldRequest } from './client.ts'
import { MOST_AT_ONCE, NoAnswer } from './client.ts'
import { loadSchema, readJson } from './contract.ts'
import { codePath } from './issued.ts'

export type Burst =
  | { readonly done: false; readonly why: string }
  | {
      readonly done: true
      /** Those above the limit, and those asked for while it was full. */
      readonly answers: readonly (Answer | NoAnswer)[]
      /** `/healthz`, `/readyz`, `/load` while it was full. */
      readonly probes: readonly (Answer | NoAnswer)[]
      /** A code, asked for again after all were let go, for up to five seconds. */
      readonly after: Answer | NoAnswer
    }

const ABOVE_LIMIT = 8
const ASKED_WHILE_FULL = 16
/** The largest declared limit that a run fills. */
export const MOST_LIMIT = MOST_AT_ONCE - ABOVE_LIMIT - ASKED_WHILE_FULL - 8
const RECOVERY_MS = 5_000

export async function fillNode(client: ConformanceClient, residentId: string): Promise<Burst> {
  const load = loadSchema.safeParse(readJson((await client.ask({ name: '/load', path: '/load' })).body))
  if (!load.success) return { done: false, why: 'needs load.shape, which failed' }
  const { limit } = load.data
  if (limit > MOST_LIMIT) {
    return {
      done: false,
      why: `its limit of ${limit} is above ${MOST_LIMIT}; start a node with a lower one for this`,
    }
  }
  const held = Array.from({ length: limit + ABOVE_LIMIT }, () => client.hold())
  try {
    await untilFull(client, held, limit)
    const code: Asked = { name: '/v1/codes/{id}', path: codePath(residentId), personal: true }
    const [probes, answers] = await Promise.all([
      Promise.all(['/healthz', '/readyz', '/load'].map((path) => answerOf(client, { name: path, path }))),
      Promise.all(Array.from({ length: ASKED_WHILE_FULL }, () => answerOf(client, code))),
    ])
    for (const request of held) request.finish()
    const ended = await Promise.all(held.map(({ answer }) => answer))
    return { done: true, answers: [...answers, ...ended], probes, after: await recovered(client, code) }
  } finally {
    for (const request of held) request.finish()
  }
}

/** Until all above the limit were refused, or the node says that it is full; for a second at most. */
async function untilFull(
  client: ConformanceClient,
  held: readonly HeldRequest[],
  limit: number,
): Promise<void> {
  const refused = new Set<HeldRequest>()
  for (const request of held) void request.answer.then(() => refused.add(request))
  const endsAt = performance.now() + 1_000
  while (refused.size < ABOVE_LIMIT && performance.now() < endsAt) {
    const load = await answerOf(client, { name: '/load', path: '/load' })
    const read = load instanceof NoAnswer ? undefined : loadSchema.safeParse(readJson(load.body)).data
    if (read !== undefined && read.inFlight >= limit) return
    await delay(20)
  }
}

async function recovered(client: ConformanceClient, code: Asked): Promise<Answer | NoAnswer> {
  const endsAt = performance.now() + RECOVERY_MS
  for (;;) {
    const answer = await answerOf(client, code)
    const good = !(answer instanceof NoAnswer) && answer.status === 200
    if (good || performance.now() >= endsAt) return answer
    await delay(100)
  }
}

const answerOf = (client: ConformanceClient, asked: Asked): Promise<Answer | NoAnswer> =>
  client.ask(asked).catch((cause: unknown) => {
    if (cause instanceof NoAnswer) return cause
    throw cause
  })
