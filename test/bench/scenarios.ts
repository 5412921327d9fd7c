// What happens to the local nodes in each scenario. Probes of /healthz are answered well in all but `kill` and
// `freeze`: a node that looks well and is not is the harder case.
import type { FaultNode } from './nodes/fault-nodes.ts'

export interface Scenario {
  readonly name: string
  /** As tables show it. */
  readonly title: string
  readonly prepare?: (node: FaultNode) => Promise<void>
  readonly begin: (node: FaultNode) => Promise<void> | void
  readonly end: (node: FaultNode) => Promise<void> | void
}

const wellAgain = (node: FaultNode): void => node.behave({})

export const scenarios: readonly Scenario[] = [
  { name: 'steady', title: 'no fault (control)', begin: () => {}, end: () => {} },
  {
    name: 'kill',
    title: 'kill -9 of all local nodes, then back',
    prepare: (node) => node.prepareSuccessor(),
    begin: (node) => node.kill(),
    end: (node) => node.comeBack(),
  },
  {
    name: 'freeze',
    title: 'all local nodes frozen (SIGSTOP), then thawed',
    begin: (node) => node.freeze(),
    end: (node) => node.thaw(),
  },
  {
    name: 'brownout',
    title: 'brownout: local answers take 400 ms instead of 5',
    begin: (node) => node.behave({ serviceMs: 400 }),
    end: wellAgain,
  },
  {
    name: 'resets',
    title: 'half of local requests end in a connection reset',
    begin: (node) => node.behave({ resetShare: 0.5 }),
    end: wellAgain,
  },
  {
    name: 'errors',
    title: 'half of local answers are 500',
    begin: (node) => node.behave({ errorShare: 0.5 }),
    end: wellAgain,
  },
]
