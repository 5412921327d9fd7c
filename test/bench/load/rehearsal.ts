// Practice on the nodes themselves: a crowd that meets a cold load and cold nodes measures how V8 compiles them.
import { Connections } from './connections.ts'

const requestsPerNode = 1500
const atOnce = 8

/** Probes, since nodes neither count nor queue them. */
export async function rehearse(ports: readonly number[]): Promise<void> {
  for (const port of ports) {
    const connections = new Connections(port)
    let left = requestsPerNode
    const askInTurn = async (): Promise<void> => {
      while (left-- > 0) await new Promise((resolve) => connections.get('/healthz', 5000, resolve))
    }
    await Promise.all(Array.from({ length: atOnce }, askInTurn))
    connections.close()
  }
}
