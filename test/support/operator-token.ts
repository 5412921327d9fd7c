// An admin's token for a gateway that runs in another process, written to its registry as `--local` does.
import { join } from 'node:path'
import { tokenByHand } from '../../gateway/control/access/first-token.ts'
import { makeToken } from '../../gateway/control/access/token-form.ts'
import { Changes } from '../../gateway/control/changes.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import type { Registry } from '../../gateway/control/registry/port.ts'

export async function tokenFor(dataDir: string): Promise<string> {
  await using registry = openEmbeddedRegistry(join(dataDir, 'chiyuan.db'))
  return await tokenIn(registry)
}

/** The same, wherever the registry is. */
export async function tokenIn(registry: Registry): Promise<string> {
  const { id, token, kept } = await makeToken()
  const changes = new Changes(registry, Date.now)
  await changes.commit(...tokenByHand({ id, name: 'test', ...kept }, Date.now(), 'a test'))
  return token
}

/** One request to the operators' API. */
export const callApi = (
  adminUrl: string,
  token: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<Response> =>
  fetch(`${adminUrl}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${token}`,
      'if-match': '*',
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
