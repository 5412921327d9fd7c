// An observer that remembers what a test asks about and is silent about the rest.
import type { Observer } from '../../gateway/model/events.ts'

export interface Heard {
  readonly observer: Observer
  /** `health xian-1 down`, `breaker xian-1 open`, `registry lost` and the like, in order. */
  readonly events: string[]
}

export function listening(): Heard {
  const events: string[] = []
  const nothing = (): void => {}
  const observer: Observer = {
    requestBegan: nothing,
    requestEnded: nothing,
    requestRefused: nothing,
    requestShed: nothing,
    modeSet: nothing,
    holdChanged: ({ id }, step) => events.push(`hold ${id} ${step}`),
    lastGoodServed: nothing,
    protectionChanged: nothing,
    residentSeen: nothing,
    requestCoalesced: nothing,
    attemptStarted: nothing,
    attemptEnded: nothing,
    budgetSpent: nothing,
    streamOpened: nothing,
    streamClosed: nothing,
    healthChanged: (node, health) => events.push(`health ${node.id} ${health}`),
    readinessChanged: (node, homes) => events.push(`not ready ${node.id} ${[...homes].join(' ')}`.trim()),
    readinessUnreadable: (node) => events.push(`unreadable ${node.id}`),
    breakerChanged: (node, state) => events.push(`breaker ${node.id} ${state}`),
    internalError: (cause) => events.push(`internal ${String(cause)}`),
    drillMoved: ({ home, phase }) => events.push(`drill ${home} ${phase}`),
    drillRequestEnded: nothing,
    snapshotApplied: (version) => events.push(`snapshot ${version}`),
    reloadRefused: (what) => events.push(`refused ${what}`),
    registryLost: () => events.push('registry lost'),
    registryBack: () => events.push('registry back'),
    catalogueLost: (datacenter) => events.push(`catalogue ${datacenter} lost`),
    catalogueRead: (datacenter, nodes) => events.push(`catalogue ${datacenter} ${nodes}`),
  }
  return { observer, events }
}
