// What a node's own answer to a probe says of homes: those that it can't stand in for now, though it is well itself.
import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { isRegionId, type RegionId } from '../../model/ids.ts'

/**
 * - `told`: a list, which may be empty.
 * - `silent`: the answer has none, as of a node that does not know of homes.
 * - `unreadable`: it has one, or should have, that can't be believed; `why` quotes nothing of it.
 */
export type Readiness =
  | { readonly kind: 'told'; readonly notReadyFor: ReadonlySet<RegionId> }
  | { readonly kind: 'silent' }
  | { readonly kind: 'unreadable'; readonly why: string }

export const silent: Readiness = { kind: 'silent' }

const listed = z.object({
  notReadyFor: z.array(z.object({ region: z.string().refine(isRegionId) })).optional(),
})

/** A list of all 333 cities with a line of detail each has a tenth of it. */
const longestAnswerBytes = 65_536

/**
 * Reads a good answer to a probe. Resolves when it is read to its end, breaks or turns out too long; who calls ends the
 * request by a deadline of its own.
 */
export function readReadiness(response: IncomingMessage): Promise<Readiness> {
  if (!saysJson(response)) return Promise.resolve(silent)
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    let length = 0
    response.on('data', (part: Buffer) => {
      length += part.length
      if (length <= longestAnswerBytes) parts.push(part)
      else resolve(unreadable(`is longer than ${longestAnswerBytes} bytes`))
    })
    response.on('end', () => resolve(readinessIn(Buffer.concat(parts).toString('utf8'))))
    response.on('error', () => resolve(unreadable('broke off')))
  })
}

/** For an answer whose end did not come in time. */
export const cutOff = (timeoutMs: number): Readiness => unreadable(`was not whole within ${timeoutMs} ms`)

function readinessIn(text: string): Readiness {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return unreadable('is no JSON though it says so')
  }
  // A report of another shape than ours is no list of ours.
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return silent
  const parsed = listed.safeParse(value)
  if (!parsed.success)
    return unreadable(`has a bad ${fieldOf(parsed.error)}; [{"region":"610100"}] would be right`)
  const { notReadyFor } = parsed.data
  return notReadyFor === undefined
    ? silent
    : { kind: 'told', notReadyFor: new Set(notReadyFor.map(({ region }) => region)) }
}

const saysJson = ({ headers }: IncomingMessage): boolean =>
  /^application\/(?:[\w.+-]+\+)?json\b/i.test(headers['content-type'] ?? '')

const fieldOf = ({ issues: [first] }: z.ZodError): string => first?.path.join('.') ?? 'notReadyFor'

const unreadable = (why: string): Readiness => ({ kind: 'unreadable', why })
