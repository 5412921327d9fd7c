// Node's own HTTP server that answers by itself: what any Node gateway pays at least for the residents' side.
import { fileURLToPath } from 'node:url'
import type { Contender } from './contender.ts'

const script = fileURLToPath(new URL('../nodes/plain-server.ts', import.meta.url))

export const bare: Contender = {
  name: 'bare',
  title: 'Node http, answering by itself',
  parts: ['cpu'],
  proxies: false,
  version: () => process.versions.node,
  launch: ({ port }) => ({
    file: process.execPath,
    args: [script, `${port}=xian-1`],
    env: { NODE_ENV: 'production' },
  }),
}
