// Free ports below the range from which the kernel takes ports of outgoing connections: a killed node's port must
// stay free until it comes back, and nobody may connect to himself on it meanwhile.
import { createServer } from 'node:net'

const first = 18_000
const last = 28_000
let next = first + Math.floor(Math.random() * (last - first))

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 500; tries++) {
    const port = next
    next = next >= last ? first : next + 1
    if (await isFree(port)) return port
  }
  throw new Error(`no free port between ${first} and ${last}`)
}
