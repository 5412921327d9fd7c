// /gateways: those of this federation, as the one that is asked knows them.
import type { GatewayReadings } from '../../model/readings.ts'
import { type AdminRoute, noBody, none, operation } from '../operation.ts'
import { type Plane, timeText } from '../plane.ts'
import { gatewaysAnswer } from '../schemas/gateways.ts'

export const gatewayRoutes = (plane: Plane): AdminRoute[] => [
  { path: '/gateways', methods: { get: gateways(plane) } },
]

const gateways = (plane: Plane) =>
  operation({
    summary: 'The gateways of this federation that are known',
    description:
      'What Consul was last seen to tell of the others, seconds old; never asked for the answer’s sake. A gateway that keeps its ' +
      'records by itself knows of itself alone.',
    permission: 'read',
    params: none,
    query: none,
    body: noBody,
    answer: { status: 200, schema: gatewaysAnswer },
    handle: async () => {
      const { gateway: readings, at } = await plane.measured.read()
      const peers = plane.peers()
      if (peers === null) return { body: { items: [alone(readings, at)], stale: null } }
      return {
        body: {
          items: peers.gateways.map((one) => ({ ...one, readings: one.own ? readings : null })),
          stale: peers.stale && { since: timeText(peers.stale.since), detail: peers.stale.detail },
        },
      }
    },
  })

const alone = (readings: GatewayReadings, at: number) => ({
  id: readings.id,
  gateway: readings.id,
  machine: null,
  address: null,
  adminPort: null,
  since: timeText(at - readings.uptimeSeconds * 1000),
  version: readings.version,
  health: 'passing' as const,
  detail: '',
  own: true,
  readings,
})
