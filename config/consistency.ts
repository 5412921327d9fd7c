// What no single field can tell: names used twice, regions that are named but not listed, deadlines that collide.
import type { Config } from './schema.ts'

export interface Inconsistency {
  readonly path: readonly (string | number)[]
  readonly message: string
}

export function inconsistencies(config: Config): Inconsistency[] {
  return [
    ...ports(config),
    ...adminInTheClear(config),
    ...regionNames(config),
    ...nodeNames(config),
    ...homes(config),
    ...deadlines(config),
    ...agentFiles(config),
    ...foundNodes(config),
  ]
}

const anyAddress = new Set(['0.0.0.0', '::'])

function* ports({ public: residents, admin }: Config): Generator<Inconsistency> {
  const sameHost =
    residents.host === admin.host || anyAddress.has(residents.host) || anyAddress.has(admin.host)
  if (sameHost && residents.port !== 0 && residents.port === admin.port) {
    yield {
      path: ['admin', 'port'],
      message: `${admin.port} is public.port too; choose another, such as ${admin.port + 1}`,
    }
  }
}

/** Tokens are given in every request there. */
function* adminInTheClear({ admin }: Config): Generator<Inconsistency> {
  if (!admin.api || admin.insecure || admin.tls !== undefined || isLoopback(admin.host)) return
  yield {
    path: ['admin', 'host'],
    message: `${admin.host} can be reached from other machines, and operators' tokens would cross the network in the clear; set admin.tls, or 127.0.0.1, or admin.insecure (--insecure-admin) if something before it has TLS`,
  }
}

const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)

function* regionNames(config: Config): Generator<Inconsistency> {
  const codes = new Set<string>()
  const all = new Set(config.regions.map((region) => region.code))
  for (const [i, region] of config.regions.entries()) {
    if (codes.has(region.code)) {
      yield {
        path: ['regions', i, 'code'],
        message: `region ${region.code} stands twice; keep one entry for it`,
      }
    }
    codes.add(region.code)
    const named = new Set<string>()
    for (const [j, neighbour] of region.neighbours.entries()) {
      const path = ['regions', i, 'neighbours', j]
      if (neighbour === region.code) yield { path, message: `${neighbour} can't be its own neighbour` }
      else if (!all.has(neighbour)) yield { path, message: notListed(neighbour) }
      else if (named.has(neighbour)) yield { path, message: `${neighbour} stands twice in this list` }
      named.add(neighbour)
    }
    if (region.province !== undefined && !all.has(region.province)) {
      yield { path: ['regions', i, 'province'], message: notListed(region.province) }
    }
  }
  if (config.regions.filter((region) => region.tier === 'nation').length > 1) {
    yield { path: ['regions'], message: 'more than one region has tier nation; there can be one at the most' }
  }
}

function* nodeNames(config: Config): Generator<Inconsistency> {
  const ids = new Set<string>()
  const urls = new Map<string, string>()
  let nodes = 0
  for (const [i, region] of config.regions.entries()) {
    for (const [j, node] of region.nodes.entries()) {
      nodes += 1
      if (ids.has(node.id)) {
        yield {
          path: ['regions', i, 'nodes', j, 'id'],
          message: `node id ${node.id} stands twice; ids are unique`,
        }
      }
      ids.add(node.id)
      const { clientCertificate } = node.tls ?? {}
      if (node.tls !== undefined && node.url.startsWith('http:')) {
        yield {
          path: ['regions', i, 'nodes', j, 'tls'],
          message: `${node.url} is not https://; correct the address, or leave tls out`,
        }
      }
      if (clientCertificate !== undefined && config.clientCertificates[clientCertificate] === undefined) {
        yield {
          path: ['regions', i, 'nodes', j, 'tls', 'clientCertificate'],
          message: `${clientCertificate} is not listed under clientCertificates; add it there, or correct the name`,
        }
      }
      const url = new URL(node.url).href
      const twin = urls.get(url)
      if (twin !== undefined) {
        yield {
          path: ['regions', i, 'nodes', j, 'url'],
          message: `${node.url} is the address of ${twin} already`,
        }
      }
      urls.set(url, node.id)
    }
  }
  if (nodes === 0 && config.discovery.driver === 'none') {
    yield { path: ['regions'], message: 'no region has a node; list at least one, or set discovery' }
  }
}

function* homes(config: Config): Generator<Inconsistency> {
  const all = new Set(config.regions.map((region) => region.code))
  const { home } = config
  if (home.default !== undefined && !all.has(home.default)) {
    yield { path: ['home', 'default'], message: notListed(home.default) }
  }
  for (const [host, code] of Object.entries(home.hosts)) {
    if (!all.has(code)) yield { path: ['home', 'hosts', host], message: notListed(code) }
    if (!/^[A-Za-z0-9.-]+$|^\[[0-9a-fA-F:.]+\]$/.test(host)) {
      yield {
        path: ['home', 'hosts', host],
        message: `"${host}" is not a host name; write it without scheme and port`,
      }
    }
  }
  const none =
    home.default === undefined &&
    Object.keys(home.hosts).length === 0 &&
    home.pathPrefix === undefined &&
    home.header === undefined
  if (none) {
    yield {
      path: ['home'],
      message: 'no way to know a request’s home; set default, hosts, pathPrefix or header',
    }
  }
}

function* deadlines(config: Config): Generator<Inconsistency> {
  const { attempts, breaker, concurrency, hedging, health, queue } = config
  if (attempts.totalTimeoutMs < attempts.attemptTimeoutMs) {
    yield {
      path: ['attempts', 'totalTimeoutMs'],
      message: `${attempts.totalTimeoutMs} ms is less than one attempt's ${attempts.attemptTimeoutMs} ms; raise it, or lower attempts.attemptTimeoutMs`,
    }
  }
  // opossum does not forget its window when it closes: a shorter pause would open it again on old failures.
  if (breaker.resetTimeoutMs <= breaker.windowMs) {
    yield {
      path: ['breaker', 'resetTimeoutMs'],
      message: `${breaker.resetTimeoutMs} ms is not above breaker.windowMs (${breaker.windowMs} ms); raise it`,
    }
  }
  if (hedging.minDelayMs > hedging.maxDelayMs) {
    yield {
      path: ['hedging', 'minDelayMs'],
      message: `${hedging.minDelayMs} ms is above hedging.maxDelayMs (${hedging.maxDelayMs} ms)`,
    }
  }
  if (concurrency.floor > concurrency.initial || concurrency.initial > concurrency.ceiling) {
    const { floor, initial, ceiling } = concurrency
    yield {
      path: ['concurrency', 'initial'],
      message: `${initial} is not between concurrency.floor (${floor}) and concurrency.ceiling (${ceiling})`,
    }
  }
  if (queue.targetWaitMs > queue.maxWaitMs) {
    yield {
      path: ['queue', 'targetWaitMs'],
      message: `${queue.targetWaitMs} ms is above queue.maxWaitMs (${queue.maxWaitMs} ms)`,
    }
  }
  if (health.fastIntervalMs > health.intervalMs) {
    yield {
      path: ['health', 'fastIntervalMs'],
      message: `${health.fastIntervalMs} ms is above health.intervalMs (${health.intervalMs} ms)`,
    }
  }
}

function* agentFiles(config: Config): Generator<Inconsistency> {
  for (const section of ['registry', 'discovery'] as const) {
    const agent = config[section]
    if (agent.driver !== 'consul') continue
    const { address, certFile, keyFile } = agent
    if ((certFile === undefined) !== (keyFile === undefined)) {
      const missing = certFile === undefined ? 'certFile' : 'keyFile'
      yield { path: [section, missing], message: 'missing; certFile and keyFile are given together' }
    }
    for (const field of ['caFile', 'certFile', 'keyFile'] as const) {
      if (agent[field] !== undefined && address.startsWith('http:')) {
        yield {
          path: [section, field],
          message: `it is of no use with ${address}; use https:// there, or leave it out`,
        }
      }
    }
  }
}

function* foundNodes({ discovery, clientCertificates }: Config): Generator<Inconsistency> {
  if (discovery.driver === 'none') return
  const { clientCertificate } = discovery.tls ?? {}
  if (clientCertificate !== undefined && clientCertificates[clientCertificate] === undefined) {
    yield {
      path: ['discovery', 'tls', 'clientCertificate'],
      message: `${clientCertificate} is not listed under clientCertificates; add it there, or correct the name`,
    }
  }
}

const notListed = (code: string): string =>
  `region ${code} is not listed under regions; add it, or correct the code`
