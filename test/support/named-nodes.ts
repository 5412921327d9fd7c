// Small nodes in a process of their own, so that a busy test does not slow what it measures: each answers with its name.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'

const told = z.record(z.string(), z.number())

export interface NamedNodes extends AsyncDisposable {
  /** `http://127.0.0.1:PORT` of the node of that name. */
  url(name: string): string
}

export async function startNamedNodes(names: readonly string[]): Promise<NamedNodes> {
  const child = fork(fileURLToPath(import.meta.url), [...names], { execArgv: [] })
  const [message]: unknown[] = await once(child, 'message')
  const ports = told.parse(message)
  return {
    url: (name) => `http://127.0.0.1:${ports[name]}`,
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit')
      child.disconnect()
      await exited
    },
  }
}

async function serve(names: readonly string[]): Promise<void> {
  const ports: Record<string, number> = {}
  for (const name of names) {
    const server = createServer((request, response) => {
      request.resume()
      request.on('end', () => response.end(name))
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const address = server.address()
    if (address !== null && typeof address === 'object') ports[name] = address.port
  }
  process.on('disconnect', () => process.exit(0))
  process.send?.(ports)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await serve(process.argv.slice(2))
