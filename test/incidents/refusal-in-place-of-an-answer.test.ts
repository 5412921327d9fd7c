// Bytes that are no HTTP behind a good request were answered at once: the 400 went out before, or into the middle of,
// the good request's own answer, so the resident took it for that answer.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'
import { httpUpstream } from '../support/upstream.ts'

it('a refusal waits its turn', async () => {
  const large = 'L'.repeat(400_000)
  await using node = await httpUpstream((request, response) => {
    setTimeout(() => response.end(request.url === '/large' ? large : 'answer'), 30)
  })
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }])
  const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
  const { text } = await sendRaw(edge.port, `${get('/large')}${get('/')}NO HTTP\r\n\r\n`)
  expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 200', 'HTTP/1.1 400'])
  expect(text).toContain(large)
})
