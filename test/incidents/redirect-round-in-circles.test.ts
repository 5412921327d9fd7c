// Behind a proxy that ends TLS, a node's redirect to `https://` was rewritten to `http://`, which the proxy redirects to
// `https://` again: residents went round in circles. A redirect with a URL in its query lost its path prefix.
import { expect, it } from '@jest/globals'
import { startTestGateway } from '../support/gateway.ts'
import { sendRaw } from '../support/raw-client.ts'
import { headerIn, wireUpstream } from '../support/wire.ts'

it.each([
  { location: 'https://jkm.example/login', seen: 'https://jkm.example/r/610100/login', trusted: [] },
  {
    location: 'http://jkm.example/login',
    seen: 'https://jkm.example/r/610100/login',
    trusted: ['127.0.0.1'],
  },
  {
    location: '/login?back=https://jkm.example/',
    seen: '/r/610100/login?back=https://jkm.example/',
    trusted: [],
  },
])('$location is seen as $seen', async ({ location, seen, trusted }) => {
  await using node = await wireUpstream(
    () => `HTTP/1.1 302 Found\r\nLocation: ${location}\r\nContent-Length: 2\r\n\r\nok`,
  )
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': node.url } }], {
    home: { pathPrefix: '/r/{home}' },
    headers: { trustedProxies: trusted },
  })
  const request = 'GET /r/610100/ HTTP/1.1\r\nHost: jkm.example\r\nX-Forwarded-Proto: https\r\n\r\n'
  const { text } = await sendRaw(edge.port, request, { until: '\r\n\r\nok' })
  expect(headerIn(text, 'location')).toBe(seen)
})
