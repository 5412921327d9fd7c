// What Consul's catalogue tells of the gateways of one federation.
import { z } from 'zod'
import { type GatewayPeer, type PeerHealth, peerHealths } from '../../model/membership.ts'

const checkSchema = z.object({
  Status: z.enum([...peerHealths, 'maintenance']).catch('critical'),
  Output: z.string().catch(''),
})

const instanceSchema = z.object({
  Node: z.object({ Node: z.string() }),
  Service: z.object({
    ID: z.string(),
    Address: z.string(),
    Port: z.int(),
    Meta: z.record(z.string(), z.string()).nullable(),
  }),
  Checks: z.array(checkSchema),
})

/** Of `GET /v1/health/service/chiyuan-gateway`. */
export const catalogueSchema = z.array(instanceSchema)

const metaSchema = z.object({
  gateway: z.string(),
  adminPort: z.coerce.number().pipe(z.int()),
  version: z.string(),
  prefix: z.string(),
  since: z.string(),
})

export type OwnEntry = Pick<GatewayPeer, 'id' | 'since'>

const detailAtMost = 200

/**
 * Those whose records are under the same prefix. What others have entered under the name, without what we must know, is
 * none of them.
 */
export function gatewaysOf(
  answer: z.output<typeof catalogueSchema>,
  prefix: string,
  own: OwnEntry,
): GatewayPeer[] {
  return answer.flatMap(({ Node, Service, Checks }) => {
    const meta = metaSchema.safeParse(Service.Meta)
    if (!meta.success || meta.data.prefix !== prefix) return []
    const { gateway, adminPort, version, since } = meta.data
    const { health, detail } = worstOf(Checks)
    return {
      id: Service.ID,
      gateway,
      machine: Node.Node,
      address: authorityOf(Service.Address === '' ? Node.Node : Service.Address, Service.Port),
      adminPort,
      since,
      version,
      health,
      detail,
      // Machines whose gateways listen on loopback alone have entries of the same id.
      own: Service.ID === own.id && since === own.since,
    }
  })
}

export const authorityOf = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`

function worstOf(checks: readonly z.output<typeof checkSchema>[]): { health: PeerHealth; detail: string } {
  const rank = ({ Status }: { Status: string }): number =>
    Status === 'passing' ? 0 : Status === 'warning' ? 1 : 2
  const worst = checks.toSorted((a, b) => rank(b) - rank(a))[0]
  const health = peerHealths[worst === undefined ? 0 : rank(worst)] ?? 'critical'
  if (worst === undefined || health === 'passing') return { health, detail: '' }
  return { health, detail: worst.Output.replace(/\s+/g, ' ').trim().slice(0, detailAtMost) }
}
