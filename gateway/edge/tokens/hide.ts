// The stage that keeps document numbers out of everything behind it: keys, hashes, logs and what goes on to a node.
import type { Config } from '../../../config/schema.ts'
import type { Pepper } from '../../../region-node/tokens/peppers.ts'
import type { Refusal } from '../../model/events.ts'
import type { PublicRequest } from '../http.ts'
import type { RequestHead } from '../request-head.ts'
import { addressHider } from './address.ts'
import { bodyHider, type HideInBody } from './body.ts'
import { headerHider } from './headers.ts'
import { numbersUnder } from './numbers.ts'

export interface Hidden {
  /** Path and query without a number. */
  readonly path: string
  /** What the body has to go through; `null` where it passes as it is. */
  readonly hideInBody: HideInBody | null
}

/**
 * @param path Path and query, without the prefix that names a home.
 * @param publicHost Host that the resident asked for.
 * @returns The request's address without numbers, `request` and `head` being changed; or why it is turned away.
 */
export type Hide = (
  request: PublicRequest,
  head: RequestHead,
  path: string,
  publicHost: string,
) => Hidden | Refusal

/** @param wallNow Unix ms. */
export function hider(tokens: Config['tokens'], peppers: readonly Pepper[], wallNow: () => number): Hide {
  const numbers = numbersUnder(peppers, tokens, wallNow)
  const inAddress = addressHider(tokens, numbers)
  const inHeaders = headerHider(tokens, numbers)
  const inBody = bodyHider(tokens, numbers)
  return (request, head, path, publicHost) => {
    const address = inAddress(path)
    if (typeof address === 'string') return address
    const refusal = inHeaders(request, head)
    if (refusal !== null) return refusal
    if (numbers.shows(publicHost)) return 'document-misplaced'
    const hideInBody = inBody(address.path, head)
    if (typeof hideInBody === 'string') return hideInBody
    if (address.path !== path) forget(request, address.path)
    return { path: address.path, hideInBody }
  }
}

/** The address as it came in is nowhere left; nothing behind reads more of it than that it has no number. */
function forget(request: PublicRequest, path: string): void {
  request.url = path
  const { rawHeaders, headers } = request
  const at = rawHeaders.indexOf(':path')
  if (at === -1) return
  rawHeaders[at + 1] = path
  headers[':path'] = path
}
