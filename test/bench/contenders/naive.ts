// Express + http-proxy-middleware + opossum + prom-client, put together in the ordinary way; see ../naive/server.ts.
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { portsOf } from '../federation.ts'
import { address, type Contender } from './contender.ts'

const script = fileURLToPath(new URL('../naive/server.ts', import.meta.url))
const modules = new URL('../../../node_modules/', import.meta.url)

const versionOf = (name: string): string =>
  z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(new URL(`${name}/package.json`, modules), 'utf8'))).version

export const naive: Contender = {
  name: 'naive',
  title: 'Naive stack',
  parts: ['cpu', 'faults'],
  proxies: true,
  version: () =>
    ['express', 'http-proxy-middleware', 'opossum', 'prom-client']
      .map((name) => `${name} ${versionOf(name)}`)
      .join(' + '),
  launch: ({ port, upstreams }) => ({
    file: process.execPath,
    args: [script, String(port), ...portsOf(upstreams).map((upstream) => `http://${address(upstream)}`)],
    env: { NODE_ENV: 'production' },
  }),
}
