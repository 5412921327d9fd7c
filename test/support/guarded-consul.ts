// A real Consul with access control, and tokens with the rights that a test wants.
import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { type ConsulServer, startConsul } from './consul.ts'
import { eventually } from './eventually.ts'

export interface GuardedConsul extends AsyncDisposable {
  readonly server: ConsulServer
  /** Token that may do everything. */
  readonly management: string
  /** @throws {Error} for an answer that is none of success. */
  asManager(method: string, path: string, body?: object): Promise<Response>
  /** A token with these rules, and how to take it away. */
  tokenWith(rules: string): Promise<{ readonly secret: string; revoke(): Promise<void> }>
}

const tokenSchema = z.object({ AccessorID: z.string(), SecretID: z.string() })

export async function startGuardedConsul(): Promise<GuardedConsul> {
  const server = await startConsul('acl { enabled = true default_policy = "deny" }')
  let management = ''
  await eventually(async () => {
    const made = await server.ask('PUT', '/acl/bootstrap')
    management = tokenSchema.parse(await made.json()).SecretID
  }, 10_000)
  const asManager = async (method: string, path: string, body?: object): Promise<Response> => {
    const answer = await server.ask(method, path, body && JSON.stringify(body), management)
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
    return answer
  }
  return {
    server,
    management,
    asManager,
    async tokenWith(Rules) {
      const Name = randomUUID()
      await asManager('PUT', '/acl/policy', { Name, Rules })
      const made = await asManager('PUT', '/acl/token', { Policies: [{ Name }] })
      const { AccessorID, SecretID } = tokenSchema.parse(await made.json())
      return {
        secret: SecretID,
        revoke: async () => void (await asManager('DELETE', `/acl/token/${AccessorID}`)),
      }
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  }
}
