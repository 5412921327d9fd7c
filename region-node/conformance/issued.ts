// Two codes of the first resident, one after the other: what most checks of codes look at.
import type { Answer, ConformanceClient } from './client.ts'
import type { Claims, CodeAnswer } from './contract.ts'
import { claimsSchema, codeSchema, faultsOf, readJson } from './contract.ts'

/** One of them, as far as it could be read. */
export interface ReadCode {
  readonly answer: Answer
  readonly view: CodeAnswer | null
  /** Null where what is signed is not what a code holds. */
  readonly claims: Claims | null
  /** Empty where both fit. */
  readonly fault: string
}

export interface Issued {
  readonly first: ReadCode
  readonly second: ReadCode
}

export const codePath = (residentId: string): string => `/v1/codes/${encodeURIComponent(residentId)}`

/** @throws {NoAnswer} */
export async function fetchCode(client: ConformanceClient, residentId: string): Promise<ReadCode> {
  const answer = await client.ask({ name: '/v1/codes/{id}', path: codePath(residentId), personal: true })
  if (answer.status !== 200) return { answer, view: null, claims: null, fault: `status ${answer.status}` }
  const view = codeSchema.safeParse(readJson(answer.body))
  if (!view.success) return { answer, view: null, claims: null, fault: faultsOf(view.error) }
  const claims = claimsSchema.safeParse(readJson(payloadOf(view.data.code)))
  return {
    answer,
    view: view.data,
    claims: claims.success ? claims.data : null,
    fault: claims.success ? '' : faultsOf(claims.error),
  }
}

/** @throws {NoAnswer} */
export async function issueTwice(client: ConformanceClient, residentId: string): Promise<Issued> {
  return { first: await fetchCode(client, residentId), second: await fetchCode(client, residentId) }
}

/** Decoded and not believed: the signature is a check of its own. */
const payloadOf = (code: string): string =>
  Buffer.from(code.split('.')[1] ?? '', 'base64url').toString('utf8')
