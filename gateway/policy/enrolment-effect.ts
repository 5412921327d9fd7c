// What enrolments make of the configured federation at a moment. Nothing that an enrolment says can break the file's.
import type { Enrolment } from '../model/enrolment.ts'
import type { Hold } from '../model/hold.ts'
import type { RegionId } from '../model/ids.ts'
import type { CodeNode, Lending, Region } from '../model/region.ts'
import { codeNode } from './code-node.ts'
import { type Conflict, conflicts } from './enrolment-conflicts.ts'
import { expiryWarning, type ExpiryWarning, nextWarningAt } from './expiry.ts'
import { type Phase, phaseOf, type PhaseSettings } from './enrolment-phase.ts'

export interface EffectSettings extends PhaseSettings {
  /** This process's part of what a node takes, above 0 to 1. */
  readonly share: number
}

export interface EnrolmentEffect {
  /** The file's and the enrolled donors', as the router shall see them. */
  readonly regions: readonly Region[]
  /** Nodes that ceased to serve and are not gone yet. */
  readonly drains: readonly Hold[]
  /** Wall-clock ms at which it is to be looked at again; `null` for never. */
  readonly nextChangeAt: number | null
  /** What was passed over and why, and what ends soon; one line each, for operators. */
  readonly warnings: readonly string[]
}

interface Part {
  readonly enrolment: Enrolment
  readonly phase: Exclude<Phase, { kind: 'away' }>
  readonly nodes: readonly CodeNode[]
  readonly homes: readonly RegionId[]
}

/** @param wallMs Wall-clock milliseconds since 1970. */
export function withEnrolments(
  regions: readonly Region[],
  enrolments: readonly Enrolment[],
  wallMs: number,
  settings: EffectSettings,
): EnrolmentEffect {
  const warnings: string[] = []
  const parts: Part[] = []
  const changes: number[] = []
  const standing: Enrolment[] = []
  // Those that serve before those that drain: an address may have been enrolled anew meanwhile.
  for (const { enrolment, phase } of inOrder(enrolments, wallMs, settings)) {
    if (phase.changesAt !== null) changes.push(phase.changesAt)
    const expiry = expiryWarning(enrolment, wallMs)
    if (expiry !== null) warnings.push(endsSoon(enrolment, expiry))
    const warnsAt = nextWarningAt(enrolment, wallMs)
    if (warnsAt !== null) changes.push(warnsAt)
    if (phase.kind === 'away') continue
    const found = conflicts(enrolment, { regions, enrolments: standing })
    standing.push(enrolment)
    for (const { message } of found) warnings.push(`enrolment ${enrolment.id}: ${message.en}; passed over`)
    parts.push(partOf(enrolment, phase, found, settings.share))
  }
  const donors = Map.groupBy(parts, ({ enrolment }) => enrolment.terms.donor.code)
  if (donors.size === 0) return { regions, drains: [], nextChangeAt: earliest(changes), warnings }
  const byCode = new Map<RegionId, Region>(regions.map((region) => [region.code, region]))
  const lenders = lendersIn(regions)
  for (const [code, ofDonor] of donors) {
    const donor = donorWith(byCode.get(code), lenders.has(code), ofDonor)
    if (donor !== null) byCode.set(code, donor)
  }
  for (const { enrolment, phase, homes } of parts) {
    if (phase.kind !== 'serving' || !byCode.has(enrolment.terms.donor.code)) continue
    for (const code of homes) {
      const home = byCode.get(code)
      if (home !== undefined) byCode.set(code, placed(home, enrolment))
    }
  }
  const drains = parts.flatMap(drainsOf)
  return { regions: [...byCode.values()], drains, nextChangeAt: earliest(changes), warnings }
}

function inOrder(enrolments: readonly Enrolment[], wallMs: number, settings: PhaseSettings) {
  const all = enrolments
    .toSorted((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1))
    .map((enrolment) => ({ enrolment, phase: phaseOf(enrolment, wallMs, settings) }))
  return [
    ...all.filter(({ phase }) => phase.kind === 'serving'),
    ...all.filter(({ phase }) => phase.kind !== 'serving'),
  ]
}

function partOf(enrolment: Enrolment, phase: Part['phase'], found: readonly Conflict[], share: number): Part {
  const { donor, homes, nodes, tls } = enrolment.terms
  const isFree = (list: 'nodes' | 'homes', i: number): boolean =>
    !found.some(({ path }) => path[0] === list && path[1] === i)
  const described = nodes
    .filter((_, i) => isFree('nodes', i))
    .map(({ id, url, weight, limit }) =>
      codeNode({
        id,
        region: donor.code,
        url,
        weight,
        limit: limit === null ? Infinity : Math.max(1, Math.floor(limit * share)),
        trust: tls,
        isEnrolled: true,
      }),
    )
  return { enrolment, phase, nodes: described, homes: homes.filter((_, i) => isFree('homes', i)) }
}

/** Regions that the file lets others borrow from. */
const lendersIn = (regions: readonly Region[]): ReadonlySet<RegionId> =>
  new Set(
    regions.flatMap(({ neighbours, province, nation }) =>
      [...neighbours, province, nation].filter((code) => code !== null),
    ),
  )

/** @returns `null` where it would have no node. */
function donorWith(listed: Region | undefined, lendsAlready: boolean, parts: readonly Part[]): Region | null {
  const nodes = [...(listed?.nodes ?? []), ...parts.flatMap((part) => part.nodes)]
  const [first] = parts
  if (nodes.length === 0 || first === undefined) return null
  const { code, name, tier } = first.enrolment.terms.donor
  const region = listed ?? {
    code,
    name,
    tier,
    neighbours: [],
    province: null,
    nation: null,
    servesOwn: false,
    discovers: false,
  }
  // What the file agreed to is not touched; a region that lent nobody anything lends what was enrolled and no more.
  const lends = lending(listed !== undefined && lendsAlready ? listed.lends : null, listed, parts)
  return Object.freeze({ ...region, nodes: Object.freeze(nodes), lends: Object.freeze(lends) })
}

function lending(agreed: Lending | null, listed: Region | undefined, parts: readonly Part[]): Lending {
  let limitRps = agreed?.limitRps ?? 0
  let limitConcurrent = agreed?.limitConcurrent ?? 0
  let homeReserve = listed?.lends.homeReserve ?? 0
  for (const { enrolment, phase } of parts) {
    if (phase.kind !== 'serving') continue
    const { limit, reserve } = enrolment.terms
    limitRps += limit.rps * phase.share
    // Places can't be cut: even 1 % of few is one.
    limitConcurrent +=
      limit.concurrent === null ? Infinity : Math.max(1, Math.floor(limit.concurrent * phase.share))
    homeReserve = Math.max(homeReserve, reserve)
  }
  return { limitRps, limitConcurrent, homeReserve }
}

/** `home` with one more donor: after those that the file names, or at the level that is its own where that is free. */
function placed(home: Region, { terms: { donor } }: Enrolment): Region {
  const { code, tier } = donor
  if (home.neighbours.includes(code) || home.province === code || home.nation === code) return home
  if (tier === 'province' && home.province === null) return Object.freeze({ ...home, province: code })
  if (tier === 'nation' && home.nation === null) return Object.freeze({ ...home, nation: code })
  return Object.freeze({ ...home, neighbours: Object.freeze([...home.neighbours, code]) })
}

function drainsOf({ enrolment, phase, nodes }: Part): Hold[] {
  if (phase.kind !== 'draining') return []
  return nodes.map(({ id }) => ({
    id: `enrolment-${enrolment.id}`,
    kind: 'drain',
    scope: { node: id },
    owner: enrolment.terms.contact.office,
    reason: `the enrolment ${enrolment.id} does not serve now`,
    createdAt: phase.since,
    expiresAt: phase.until,
  }))
}

const endsSoon = ({ id, terms: { donor } }: Enrolment, { days }: ExpiryWarning): string =>
  days === 0
    ? `enrolment ${id} of ${donor.code} has ended; withdraw it, or enrol the donor anew`
    : `enrolment ${id} of ${donor.code} ends within ${days} day${days === 1 ? '' : 's'}; enrol the donor anew in time`

const earliest = (moments: readonly number[]): number | null =>
  moments.length === 0 ? null : Math.min(...moments)
