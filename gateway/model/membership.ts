// The gateways of one federation, as each of them knows the others.

export const peerHealths = ['passing', 'warning', 'critical'] as const
/** As Consul judges: `critical` is dead, draining, cut off, or not ready by its own word. */
export type PeerHealth = (typeof peerHealths)[number]

export interface GatewayPeer {
  /** Of its entry in the catalogue. */
  readonly id: string
  /** Its `gatewayId`, which gateways that stand side by side may share. */
  readonly gateway: string
  /** Consul's name of the machine; `null` where Consul has not told it yet. */
  readonly machine: string | null
  /** HOST:PORT at which residents reach it. */
  readonly address: string
  readonly adminPort: number
  /** When it was started, RFC 3339. */
  readonly since: string
  readonly version: string
  readonly health: PeerHealth
  /** Why it is not passing; empty where it is. */
  readonly detail: string
  /** The gateway that tells this. */
  readonly own: boolean
}

export interface Peers {
  /** Itself among them, by address. */
  readonly gateways: readonly GatewayPeer[]
  /** `null` while the others can be seen; otherwise what is told of them is as of `since`. */
  readonly stale: {
    /** Wall-clock milliseconds since 1970. */
    readonly since: number
    readonly detail: string
  } | null
}
