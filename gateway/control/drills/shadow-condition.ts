// What a drill makes of a node as its cohort sees it: found out, silent, back.
import type { FaultKind } from '../../model/drill.ts'
import { stallThreshold } from '../../policy/eligibility.ts'
import type { ShadowState } from './shadow-state.ts'

/** Faults under which probes are played. */
export const isUnprobed: ReadonlySet<FaultKind> = new Set<FaultKind>(['refuse', 'blackhole', 'probe-fail'])

/** Nothing was played of its probes, and they fail all the same. */
export const isDownAlone = ({ fault, health, real }: ShadowState): boolean =>
  fault?.kind === 'trip' && real.health === 'down' && health !== 'down'

export const isSilent = ({ silentOverdue }: ShadowState): boolean => silentOverdue >= stallThreshold

export const isKnownBad = (shadow: ShadowState): boolean =>
  shadow.hold !== null ||
  shadow.health === 'down' ||
  shadow.breaker !== 'closed' ||
  isSilent(shadow) ||
  shadow.fault?.kind === 'quota-cut'

export const isBack = (shadow: ShadowState): boolean => !isKnownBad(shadow) && shadow.ramp >= 1
