// A catalogue's answer that has no end is broken off, not gathered.
import { expect, it } from '@jest/globals'
import { ConsulConnection } from '../../gateway/control/registry/consul/connection.ts'
import { RegistryUnavailable } from '../../gateway/control/registry/port.ts'
import { consulPlace } from '../support/consul-registry.ts'
import { eventually } from '../support/eventually.ts'
import { httpUpstream } from '../support/upstream.ts'

it('is broken off where it is too long, and said so', async () => {
  let sent = 0
  await using agent = await httpUpstream((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'x-consul-index': '7' })
    const part = Buffer.alloc(1024 * 1024, ' ')
    const more = (): void => {
      if (response.destroyed || sent > 200) return
      sent += 1
      if (response.write(part)) setImmediate(more)
      else response.once('drain', more)
    }
    more()
  })
  using connection = new ConsulConnection(consulPlace(agent.url, { timeoutMs: 10_000 }))
  const asked = connection.instances('chiyuan-node', null, 0n, new AbortController().signal)
  await expect(asked).rejects.toThrow(RegistryUnavailable)
  await expect(asked).rejects.toThrow(/longer than 8388608 bytes/)
  // Of what was never read some lies in the sockets.
  expect(sent).toBeLessThan(50)
  await eventually(() => expect(agent.connections).toBe(0), 5000)
})
