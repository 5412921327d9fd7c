// What Consul's catalogue tells of a service's instances.
import { z } from 'zod'

/**
 * `maintenance`: somebody has taken the instance or its machine out of service by hand. Otherwise the worst of its checks;
 * `warning` counts as passing.
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
}

const check = z.object({ CheckID: z.string(), Status: z.string() })

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
  }))

export const catalogueEntries = z.array(entry)

/** Consul's own names of the checks that stand for maintenance. */
const isMaintenance = ({ CheckID }: z.output<typeof check>): boolean =>
  CheckID === '_node_maintenance' || CheckID.startsWith('_service_maintenance:')

function healthOf(checks: readonly z.output<typeof check>[]): CatalogueHealth {
  if (checks.some(isMaintenance)) return 'maintenance'
  return checks.some(({ Status }) => Status === 'critical') ? 'critical' : 'passing'
}
