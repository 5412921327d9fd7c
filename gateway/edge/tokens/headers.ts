// Document numbers in a request's headers give way to ids that name a token, wherever the request keeps them.
import type { Config } from '../../../config/schema.ts'
import type { DocumentType } from '../../../region-node/tokens/document.ts'
import type { Refusal } from '../../model/events.ts'
import type { PublicRequest } from '../http.ts'
import type { RequestHead } from '../request-head.ts'
import { decodeLoosely, type Numbers } from './numbers.ts'

/** Changes `request` and `head` in place: nothing behind may find the number in either. */
export type HideInHeaders = (request: PublicRequest, head: RequestHead) => Refusal | null

export function headerHider({ headers }: Config['tokens'], numbers: Numbers): HideInHeaders {
  const types = new Map(headers.map(({ name, type }) => [name, type]))
  return (request, head) => {
    const { rawHeaders } = request
    for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
      const value = rawHeaders[i + 1] ?? ''
      const refusal = hideInHeader(rawHeaders[i] ?? '', value, { request, head, types, numbers })
      if (refusal !== null) return refusal
    }
    return null
  }
}

interface At {
  readonly request: PublicRequest
  readonly head: RequestHead
  readonly types: ReadonlyMap<string, DocumentType>
  readonly numbers: Numbers
}

function hideInHeader(name: string, value: string, { request, head, types, numbers }: At): Refusal | null {
  // Only the address, which is looked at by itself.
  if (name === ':path') return null
  const type = types.size === 0 ? undefined : types.get(name.toLowerCase())
  if (type !== undefined) {
    const id = numbers.idFor(type, decodeLoosely(value.trim()))
    if (id === null) return 'document-number'
    replaceHeader(request, head, name, value, id)
    return null
  }
  if (!numbers.shows(value)) return null
  // The browser adds it by itself, and no request needs it.
  if (name.toLowerCase() !== 'referer') return 'document-misplaced'
  replaceHeader(request, head, name, value, '')
  return null
}

/** @param put Empty: the header does not go on. */
function replaceHeader(
  request: PublicRequest,
  head: RequestHead,
  name: string,
  value: string,
  put: string,
): void {
  const lower = name.toLowerCase()
  const { rawHeaders, headers } = request
  for (const flat of [rawHeaders, head.forward]) {
    for (let i = flat.length - 2; i >= 0; i -= 2) {
      if (flat[i]?.toLowerCase() !== lower || flat[i + 1] !== value) continue
      if (put === '' && flat === head.forward) flat.splice(i, 2)
      else flat[i + 1] = put
    }
  }
  headers[lower] = put
}
