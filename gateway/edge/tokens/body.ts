// Requests whose JSON body holds document numbers: which they are, and what goes on to a node.
import type { Config } from '../../../config/schema.ts'
import type { DocumentType } from '../../../region-node/tokens/document.ts'
import type { Refusal } from '../../model/events.ts'
import type { RequestHead } from '../request-head.ts'
import { withoutNames } from '../header-names.ts'
import { cleaned, fits, patternOf, segmentsOf } from './address.ts'
import { folded, hideInJson } from './json-body.ts'
import { decodeLoosely, type Numbers } from './numbers.ts'

/** Takes a body that is whole. Drops headers from `head` that would no longer be true. */
export type HideInBody = (body: Buffer) => Buffer | Refusal

/** @returns `null` where bodies on that path hold no numbers. */
export type BodyHiderFor = (path: string, head: RequestHead) => HideInBody | null | Refusal

export function bodyHider({ bodies }: Config['tokens'], numbers: Numbers): BodyHiderFor {
  const places = bodies.map(({ path, fields, type }) => ({
    pattern: patternOf(path),
    fields: new Map(fields.map((field): [string, DocumentType] => [folded(field), type])),
  }))
  return (pathAndQuery, head) => {
    const [path = ''] = pathAndQuery.split('?', 1)
    const segments = segmentsOf(path).map(decodeLoosely)
    const meant = places.filter(({ pattern }) => fits(pattern, segments))
    if (meant.length > 0) {
      const fields = new Map(meant.flatMap((place) => Array.from(place.fields)))
      return (body) => hideInBody(body, fields, head, numbers)
    }
    const clean = cleaned(path)
    return places.some(({ pattern }) => fits(pattern, clean)) ? 'bad-target' : null
  }
}

function hideInBody(
  body: Buffer,
  fields: ReadonlyMap<string, DocumentType>,
  head: RequestHead,
  numbers: Numbers,
): Buffer | Refusal {
  if (!isPlainJson(head.forward)) return 'body-type'
  const text = decoded(body)
  if (text === null) return 'body-json'
  const hidden = hideInJson(text, fields, numbers)
  if (!hidden.ok) return hidden.refusal
  head.forward = withoutNames(head.forward, digests)
  return Buffer.from(hidden.text)
}

const digests: ReadonlySet<string> = new Set(['content-md5', 'digest', 'content-digest', 'repr-digest'])

const jsonType = /^application\/(?:[\w.+-]+\+)?json\s*(?:;\s*charset="?utf-8"?\s*)?$/i

/** @param flat Names and values. Neither compressed nor of two types, of which a node could believe the other. */
function isPlainJson(flat: readonly string[]): boolean {
  let types = 0
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i]?.toLowerCase()
    const value = flat[i + 1] ?? ''
    if (name === 'content-encoding' && value.trim().toLowerCase() !== 'identity') return false
    if (name !== 'content-type') continue
    if (!jsonType.test(value.trim())) return false
    types += 1
  }
  return types === 1
}

/** @returns `null` for what is no UTF-8: parsers differ in what they make of it. */
function decoded(body: Buffer): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body)
  } catch {
    return null
  }
}
