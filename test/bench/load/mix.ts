// Who asks for what: the paths of an open-loop load, request by request.
import { pathOf } from '../answer.ts'

/** Classes of requests, most important first. */
export const classNames = ['critical', 'important', 'deferrable'] as const
export type ClassName = (typeof classNames)[number]

/**
 * - `regulars`: five hundred residents' codes.
 * - `crowd`: a code of another resident each time, so that nothing can be answered for two at once.
 * - `classes`: of ten requests three codes, three test results, four histories, other residents each time.
 * - `one-resident`: the same code again and again.
 */
export type Mix = 'regulars' | 'crowd' | 'classes' | 'one-resident'

export interface Asked {
  readonly path: string
  /** Null where classes play no part. */
  readonly kind: ClassName | null
}

/** Interleaved, so that every tenth of a second holds all. */
const tenOf = [
  'critical',
  'important',
  'deferrable',
  'critical',
  'deferrable',
  'important',
  'deferrable',
  'critical',
  'important',
  'deferrable',
] as const satisfies readonly ClassName[]

const folders: Readonly<Record<ClassName, string>> = {
  critical: 'codes',
  important: 'tests',
  deferrable: 'history',
}

/** @param i Number of the request. */
export function askedBy(mix: Mix, i: number): Asked {
  if (mix === 'regulars') return { path: pathOf(i), kind: null }
  if (mix === 'one-resident') return { path: pathOf(0), kind: null }
  const resident = `R610100-${String(i).padStart(6, '0')}`
  if (mix === 'crowd') return { path: `/v1/codes/${resident}`, kind: null }
  const kind = tenOf[i % tenOf.length] ?? 'deferrable'
  return { path: `/v1/${folders[kind]}/${resident}`, kind }
}
