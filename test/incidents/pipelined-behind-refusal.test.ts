// A request refused for its framing was answered with 400 and `Connection: close`, but a second one in the same packet
// had been parsed by then and went to a node over a warm connection: what an attacker hides behind a refusal was served.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'
import { httpUpstream } from '../support/upstream.ts'

it('nothing behind a refused request reaches a node', async () => {
  const paths: (string | undefined)[] = []
  await using node = await httpUpstream((request, response) => {
    paths.push(request.url)
    response.end('ok')
  })
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  await (await fetch(`${edge.url}/warm-up`)).text()
  const { text } = await sendRaw(
    edge.port,
    'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n',
  )
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 400'])
  expect(paths).toEqual(['/warm-up'])
})
