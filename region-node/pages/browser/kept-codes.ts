// Keeps a resident's codes on the phone, for when nothing answers. Of one resident at a time.
import * as z from 'zod/mini'
import type { CodeAnswer } from './code-answer.ts'
import { codeAnswer } from './code-answer.ts'
import type { Known } from './shown-code.ts'

const key = 'chiyuan-codes'

/** As the nodes sent them, so that they are read by the same rules. */
const keptSchema = z.object({
  residentId: z.string(),
  display: z.nullable(z.unknown()),
  carried: z.nullable(z.unknown()),
})

export function readKept(residentId: string): Known {
  const kept = keptSchema.safeParse(parsed(localStorage.getItem(key)))
  if (!kept.success || kept.data.residentId !== residentId) return nothing
  return { display: codeOf(kept.data.display), carried: codeOf(kept.data.carried), lastGood: false }
}

export function keep(residentId: string, { display, carried }: Known): void {
  const kept = { residentId, display: display && asSent(display), carried: carried && asSent(carried) }
  try {
    localStorage.setItem(key, JSON.stringify(kept))
  } catch {
    // Full or forbidden: the page works without, as long as it stays open.
  }
}

const nothing: Known = { display: null, carried: null, lastGood: false }

const codeOf = (value: unknown): CodeAnswer | null => codeAnswer.safeParse(value).data ?? null

function asSent(code: CodeAnswer): object {
  const { issuedAt, validUntil, updatedAt, testTime } = code
  const iso = (ms: number): string => new Date(ms).toISOString()
  return {
    ...code,
    issuedAt: iso(issuedAt),
    validUntil: iso(validUntil),
    updatedAt: iso(updatedAt),
    testTime: testTime === null ? null : iso(testTime),
  }
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? '')
  } catch {
    return null
  }
}
