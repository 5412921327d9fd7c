// What a process says of itself in Consul's catalogue, and whether its agent still says the same.
import { z } from 'zod'

/** How Consul knows that the process lives. */
export type Check =
  /** The agent asks this URL. */
  | { readonly kind: 'http'; readonly url: string; readonly everyMs: number; readonly timeoutMs: number }
  /** The process says so itself, at the latest so long after it said so last. */
  | { readonly kind: 'ttl'; readonly withinMs: number }

export interface Entry {
  /** Name of the service, such as `chiyuan-node`. */
  readonly service: string
  /** Of this one of its instances; an agent has one entry by it. */
  readonly id: string
  /** Where others reach it: a name or an IP address. */
  readonly address: string
  readonly port: number
  /** Consul takes 64 at the most, of 512 characters each. */
  readonly meta: Readonly<Record<string, string>>
  readonly check: Check
  /** Consul forgets an entry that has been critical for so long, minutes, 1 or more. */
  readonly forgottenAfterMinutes: number
}

/** As the agent takes it: `PUT /v1/agent/service/register`. */
export const registrationOf = (entry: Entry): object => ({
  Name: entry.service,
  ID: entry.id,
  Address: entry.address,
  Port: entry.port,
  Meta: entry.meta,
  Check: {
    CheckID: checkIdOf(entry),
    Name: `${entry.service} ready`,
    ...(entry.check.kind === 'http'
      ? {
          HTTP: entry.check.url,
          Interval: `${entry.check.everyMs}ms`,
          Timeout: `${entry.check.timeoutMs}ms`,
        }
      : { TTL: `${entry.check.withinMs}ms` }),
    DeregisterCriticalServiceAfter: `${entry.forgottenAfterMinutes}m`,
  },
})

export const checkIdOf = ({ id }: Entry): string => `${id}-ready`

/** The agent's answer to `GET /v1/agent/health/service/id/...`, as much of it as is looked at. */
export const seenSchema = z.object({
  Service: z.object({ Address: z.string(), Port: z.int(), Meta: z.record(z.string(), z.string()) }),
  Checks: z.array(z.object({ CheckID: z.string() })),
})

/** @param seen What the agent has under this entry's id. */
export function isAsSaid(entry: Entry, seen: z.output<typeof seenSchema>): boolean {
  const { Address, Port, Meta } = seen.Service
  const names = Object.keys(entry.meta)
  return (
    Address === entry.address &&
    Port === entry.port &&
    names.length === Object.keys(Meta).length &&
    names.every((name) => Meta[name] === entry.meta[name]) &&
    seen.Checks.some(({ CheckID }) => CheckID === checkIdOf(entry))
  )
}
