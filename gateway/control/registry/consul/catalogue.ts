// What Consul's catalogue tells of a service's instances.
import { z } from 'zod'

/**
 * `maintenance`: somebody has taken the instance or its machine out of service by hand. Otherwise the worst of the service's
 * checks; `warning` counts as passing, and what its agent finds of the machine does not count.
 */
export type CatalogueHealth = 'passing' | 'critical' | 'maintenance'

export interface CatalogueEntry {
  /** Unique on its agent. */
  readonly serviceId: string
  /** Name of the agent's machine. */
  readonly machine: string
  /** The service's own, else its machine's. */
  readonly address: string
  /** As it was registered: it may be none that there is. */
  readonly port: number
  readonly meta: Readonly<Record<string, string>>
  readonly tags: readonly string[]
  readonly health: CatalogueHealth
  /** It is there, and nothing of it can be used. */
  readonly isUnreadable: boolean
}

const check = z.object({ CheckID: z.string(), Status: z.string(), ServiceID: z.string().default('') })

const entry = z
  .object({
    Node: z.object({ Node: z.string(), Address: z.string() }),
    Service: z.object({
      ID: z.string(),
      Address: z.string(),
      // Consul takes any; one that is none must not cost us the others.
      Port: z.number(),
      Meta: z.record(z.string(), z.string()).nullish(),
      Tags: z.array(z.string()).nullish(),
    }),
    Checks: z.array(check).nullish(),
  })
  .transform(({ Node, Service, Checks }): CatalogueEntry => ({
    serviceId: Service.ID,
    machine: Node.Node,
    address: Service.Address === '' ? Node.Address : Service.Address,
    port: Service.Port,
    meta: Service.Meta ?? {},
    tags: Service.Tags ?? [],
    health: healthOf(Checks ?? []),
    isUnreadable: false,
  }))

/**
 * Each by itself: one that nobody understands must not hide the others.
 */
export const catalogueEntries = z
  .array(z.unknown())
  .transform((all) => all.map((one, i) => entry.safeParse(one).data ?? unreadable(one, i)))

const named = z.object({
  Node: z.object({ Node: z.string() }),
  Service: z.object({ ID: z.string() }),
})

/** Without a port nobody takes it for a node; whoever judges it says so. */
function unreadable(one: unknown, place: number): CatalogueEntry {
  const { Node, Service } = named.safeParse(one).data ?? { Node: { Node: '?' }, Service: { ID: `#${place}` } }
  const nothing = { address: '', port: 0, meta: {}, tags: [], health: 'passing' } as const
  return { serviceId: Service.ID, machine: Node.Node, isUnreadable: true, ...nothing }
}

/** Consul's own names of the checks that stand for maintenance. */
const isMaintenance = ({ CheckID }: z.output<typeof check>): boolean =>
  CheckID === '_node_maintenance' || CheckID.startsWith('_service_maintenance:')

function healthOf(checks: readonly z.output<typeof check>[]): CatalogueHealth {
  if (checks.some(isMaintenance)) return 'maintenance'
  // An agent that dies turns its machine's own checks critical; the node beside it may be well.
  const own = checks.filter(({ ServiceID }) => ServiceID !== '')
  return own.some(({ Status }) => Status === 'critical') ? 'critical' : 'passing'
}
