// Our gateway as shipped: every default left as it is, so breaker, metrics, hedging, probes and failover are on. It is
// never told what a node can take; a scenario may ask for classes of requests or for coalescing.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { stringify } from 'yaml'
import { z } from 'zod'
import { address, type Contender, type Extra, type Place } from './contender.ts'

const repository = new URL('../../../', import.meta.url)
const command = fileURLToPath(new URL('gateway/cli/main.ts', repository))

export const chiyuan: Contender = {
  name: 'chiyuan',
  title: 'Chiyuan',
  parts: ['cpu', 'faults', 'saturation'],
  proxies: true,
  version: () => `${packageVersion()}${revision()}`,
  launch: (place) => ({
    file: process.execPath,
    args: [command, 'gateway', '--config', `${place.folder}/gateway.yaml`],
    env: { NODE_ENV: 'production' },
    files: { 'gateway.yaml': stringify(configuration(place)) },
  }),
}

const packageVersion = (): string =>
  z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(new URL('package.json', repository), 'utf8'))).version

const measured = ['gateway', 'config', 'package-lock.json']
const git = (...args: string[]): string =>
  execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })

/** The commit, and a digest of what differs from it; nothing where this is no checkout. */
function revision(): string {
  try {
    const commit = git('rev-parse', '--short', 'HEAD').trim()
    const changes = git('diff', 'HEAD', '--', ...measured)
    if (changes === '') return ` (${commit})`
    return ` (${commit} and changes ${createHash('sha256').update(changes).digest('hex').slice(0, 7)})`
  } catch {
    return ''
  }
}

/** Keys for what a scenario asks for. Codes and test results have their classes by default. No scenario asks for both. */
const extraKeys: Readonly<Record<Extra, object>> = {
  classes: { classes: { deferrable: { routes: [{ path: '/v1/history/**' }] } } },
  coalescing: { classes: { critical: { coalesce: true } } },
}

const configuration = ({ port, adminPort, folder, upstreams, extras }: Place): object => ({
  ...Object.assign({}, ...extras.map((extra) => extraKeys[extra])),
  dataDir: `${folder}/data`,
  public: { port },
  admin: { port: adminPort },
  home: { default: '610100' },
  logLevel: 'warn',
  health: { path: '/healthz' },
  regions: [
    {
      code: '610100',
      name: { zh: '西安', en: "Xi'an" },
      neighbours: ['610400'],
      nodes: upstreams.local.map((local, i) => ({ id: `xian-${i + 1}`, url: `http://${address(local)}` })),
    },
    {
      code: '610400',
      name: { zh: '咸阳', en: 'Xianyang' },
      nodes: [{ id: 'xianyang-1', url: `http://${address(upstreams.neighbour)}` }],
    },
    {
      code: '610000',
      name: { zh: '陕西', en: 'Shaanxi' },
      tier: 'province',
      nodes: [{ id: 'shaanxi-1', url: `http://${address(upstreams.province)}` }],
    },
  ],
})
