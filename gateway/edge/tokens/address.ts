// Document numbers in a request's path and query give way to ids that name a token.
import type { Config } from '../../../config/schema.ts'
import type { DocumentType } from '../../../region-node/tokens/document.ts'
import type { Refusal } from '../../model/events.ts'
import { decodeLoosely, type Numbers } from './numbers.ts'

/** Segments in small letters; `null` stands for the number's. */
type Pattern = readonly (string | null)[]

interface PathPlace {
  readonly pattern: Pattern
  readonly type: DocumentType
}

export interface HiddenAddress {
  /** Path and query for the node. */
  readonly path: string
}

/** @returns The address without numbers; or why the request is turned away. */
export type HideInAddress = (pathAndQuery: string) => HiddenAddress | Refusal

export function addressHider({ paths, query }: Config['tokens'], numbers: Numbers): HideInAddress {
  const places = paths.map(({ path, type }): PathPlace => ({ pattern: patternOf(path), type }))
  const parameters = new Map(query.map(({ name, type }) => [name.toLowerCase(), type]))
  return (pathAndQuery) => {
    const mark = pathAndQuery.indexOf('?')
    const onPath = hideInPath(mark === -1 ? pathAndQuery : pathAndQuery.slice(0, mark), places, numbers)
    if (typeof onPath === 'string' || mark === -1) return guarded(onPath, numbers)
    const asked = hideInQuery(pathAndQuery.slice(mark + 1), parameters, numbers)
    return asked === null ? 'document-number' : guarded({ path: `${onPath.path}?${asked}` }, numbers)
  }
}

const guarded = (hidden: HiddenAddress | Refusal, numbers: Numbers): HiddenAddress | Refusal =>
  typeof hidden !== 'string' && numbers.shows(hidden.path) ? 'document-misplaced' : hidden

/** @param path A path as configured, with or without `{id}`. */
export const patternOf = (path: string): Pattern =>
  segmentsOf(path).map((segment) => (segment === '{id}' ? null : segment.toLowerCase()))

/**
 * Whether a path is meant, as a lenient router would read it: decoded, whatever the case, with or without a slash at
 * the end.
 */
export const fits = (pattern: Pattern, segments: readonly string[]): boolean =>
  pattern.length === segments.length &&
  pattern.every((wanted, i) => wanted === null || wanted === segments[i]?.toLowerCase())

/** A path's segments, still encoded; a slash at the end makes no difference. */
export function segmentsOf(path: string): string[] {
  const segments = path.split('/').slice(1)
  if (segments.length > 1 && segments.at(-1) === '') segments.pop()
  return segments
}

/**
 * The segments that a server could make of a path by cleaning it: without empty ones, dots, parameters after a
 * semicolon, and with encoded or backward slashes taken for slashes.
 */
export function cleaned(path: string): string[] {
  if (!crooked.test(path)) return segmentsOf(path)
  const segments: string[] = []
  for (const part of decodeLoosely(path).split(/[/\\]/)) {
    const [segment = ''] = part.split(';')
    if (segment === '..') segments.pop()
    else if (segment !== '' && segment !== '.') segments.push(segment)
  }
  return segments
}

const crooked = /[;\\%]|\/\.|\/\//

function hideInPath(path: string, places: readonly PathPlace[], numbers: Numbers): HiddenAddress | Refusal {
  const raw = segmentsOf(path)
  const segments = raw.map(decodeLoosely)
  const place = places.find(({ pattern }) => fits(pattern, segments))
  if (place === undefined) {
    const clean = cleaned(path)
    return places.some(({ pattern }) => fits(pattern, clean)) ? 'bad-target' : { path }
  }
  const at = place.pattern.indexOf(null)
  const id = numbers.idFor(place.type, segments[at] ?? '')
  if (id === null) return 'document-number'
  raw[at] = id
  return { path: `/${raw.join('/')}${path.endsWith('/') ? '/' : ''}` }
}

/** @returns `null` where a parameter that holds a number holds none that is valid. */
function hideInQuery(
  query: string,
  parameters: ReadonlyMap<string, DocumentType>,
  numbers: Numbers,
): string | null {
  if (parameters.size === 0) return query
  const hidden: string[] = []
  for (const pair of query.split('&')) {
    const equals = pair.indexOf('=')
    const [name = ''] = decodeField(equals === -1 ? pair : pair.slice(0, equals)).split('[')
    const value = equals === -1 ? '' : decodeField(pair.slice(equals + 1))
    const type = parameters.get(name.trim().toLowerCase())
    if (type === undefined || value === '') hidden.push(pair)
    else {
      const id = numbers.idFor(type, value)
      if (id === null) return null
      hidden.push(`${pair.slice(0, equals)}=${id}`)
    }
  }
  return hidden.join('&')
}

/** As forms encode (application/x-www-form-urlencoded): a plus is a space. */
const decodeField = (text: string): string => decodeLoosely(text.replaceAll('+', ' '))
