// Asks for codes through the gateway, which finds somebody who answers.
import type { CodeAnswer } from './code-answer.ts'
import { codeAnswer } from './code-answer.ts'

export type Asked =
  | { readonly ok: true; readonly code: CodeAnswer; readonly lastGood: boolean }
  /** `unknown`: there is no such resident. `failed`: nobody could be asked now. */
  | { readonly ok: false; readonly reason: 'unknown' | 'failed' }

const patienceMs = 8_000

/** Never throws: whatever goes wrong on the way, the page shows what it has. */
export async function askFor(kind: 'codes' | 'credentials', residentId: string): Promise<Asked> {
  try {
    const answer = await fetch(`v1/${kind}/${encodeURIComponent(residentId)}`, {
      headers: { accept: 'application/json' },
      cache: 'no-store',
      signal: AbortSignal.timeout(patienceMs),
    })
    if (answer.status === 404 || answer.status === 400) return { ok: false, reason: 'unknown' }
    if (!answer.ok) return { ok: false, reason: 'failed' }
    const code = codeAnswer.safeParse(await answer.json())
    if (!code.success) return { ok: false, reason: 'failed' }
    return { ok: true, code: code.data, lastGood: answer.headers.has('x-chiyuan-last-good') }
  } catch {
    return { ok: false, reason: 'failed' }
  }
}
