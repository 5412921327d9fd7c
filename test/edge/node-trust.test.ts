// A node is asked only when it is who its trust says: by authority, pin and name, with our certificate shown where it is
// demanded. Probes, requests and streams all hold it to the same, and no byte goes to one that fails.
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { TLSSocket } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { type AskNode, nodeAsker } from '../../gateway/control/health/ask-node.ts'
import { httpProbe } from '../../gateway/control/health/http-probe.ts'
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import type { NodeTrust } from '../../gateway/model/node-trust.ts'
import { codeNode } from '../../gateway/policy/code-node.ts'
import { type Authority, authority, type KeyPair } from '../support/authority.ts'
import { activeEnrolment, putEnrolment, systemTrust } from '../support/enrolments.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { connectorWith, pinOfPair, type TlsNode, tlsNode } from '../support/node-tls.ts'
import { httpUpstream, named, rawUpstream } from '../support/upstream.ts'

const open = new AsyncDisposableStack()
let folder: string
let ours: Authority
let theirs: Authority
let ca: NodeTrust['ca']
let caPem: Buffer
let certificates: Record<string, { certFile: string; keyFile: string }>
let ask: AskNode

async function onDisk(name: string, pair: KeyPair): Promise<{ certFile: string; keyFile: string }> {
  const files = { certFile: join(folder, `${name}.pem`), keyFile: join(folder, `${name}.key`) }
  await writeFile(`${files.certFile}.new`, pair.cert)
  await writeFile(`${files.keyFile}.new`, pair.key)
  await rename(`${files.keyFile}.new`, files.keyFile)
  await rename(`${files.certFile}.new`, files.certFile)
  return files
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chiyuan-trust-'))
  open.defer(() => rm(folder, { recursive: true, force: true }))
  ours = open.use(await authority())
  theirs = open.use(await authority())
  caPem = await readFile(ours.certFile)
  ca = { file: ours.certFile }
  certificates = {
    gateway: await onDisk('gateway', await ours.issue('DNS:gateway.example')),
    stranger: await onDisk('stranger', await theirs.issue('DNS:gateway.example')),
    gone: { certFile: join(folder, 'no.pem'), keyFile: join(folder, 'no.key') },
  }
  ask = nodeAsker(connectorWith(certificates))
})

afterAll(() => open.disposeAsync())

const here = 'IP:127.0.0.1'
const demandsOurs = (): object => ({ ca: caPem, requestCert: true, rejectUnauthorized: true })

interface Case {
  readonly name: string
  readonly pair: () => Promise<KeyPair>
  readonly server?: () => object
  readonly trust: (pair: KeyPair) => Partial<NodeTrust>
  /** What its operator reads; absent where it is believed. */
  readonly says?: RegExp
}

const another = 'A'.repeat(43) + '='
const cases: readonly Case[] = [
  { name: 'its authority', pair: () => ours.issue(here), trust: () => ({ ca }) },
  {
    name: 'an authority written out',
    pair: () => ours.issue(here),
    trust: () => ({ ca: { pem: String(caPem) } }),
  },
  {
    name: 'a pin alone, whoever signed',
    pair: () => theirs.issue(here),
    trust: (pair) => ({ pins: [pinOfPair(pair)] }),
  },
  {
    name: 'one of several pins',
    pair: () => theirs.issue(here),
    trust: (pair) => ({ pins: [another, pinOfPair(pair)] }),
  },
  {
    name: 'authority and pin',
    pair: () => ours.issue(here),
    trust: (pair) => ({ ca, pins: [pinOfPair(pair)] }),
  },
  {
    name: 'a name that is not its address',
    pair: () => ours.issue('DNS:codes.yanan.example'),
    trust: () => ({ ca, serverName: 'codes.yanan.example' }),
  },
  {
    name: 'our certificate shown',
    pair: () => ours.issue(here),
    server: demandsOurs,
    trust: () => ({ ca, clientCertificate: 'gateway' }),
  },
  {
    name: 'our certificate shown to a pinned node',
    pair: () => theirs.issue(here),
    server: demandsOurs,
    trust: (pair) => ({ pins: [pinOfPair(pair)], clientCertificate: 'gateway' }),
  },
  {
    name: 'another authority',
    pair: () => theirs.issue(here),
    trust: () => ({ ca }),
    says: /not signed by a trusted authority/,
  },
  {
    name: 'no trust of its own',
    pair: () => ours.issue(here),
    trust: () => ({}),
    says: /not signed by a trusted authority/,
  },
  {
    name: 'another name',
    pair: () => ours.issue('IP:127.0.0.2,DNS:localhost'),
    trust: () => ({ ca }),
    says: /for another name/,
  },
  {
    name: 'another name than the one agreed upon',
    pair: () => ours.issue(`${here},DNS:codes.weinan.example`),
    trust: () => ({ ca, serverName: 'codes.yanan.example' }),
    says: /for another name/,
  },
  {
    name: 'another name, pinned',
    pair: () => ours.issue('DNS:codes.weinan.example'),
    trust: (pair) => ({ pins: [pinOfPair(pair)], serverName: 'codes.yanan.example' }),
    says: /for another name/,
  },
  { name: 'another pin', pair: () => ours.issue(here), trust: () => ({ pins: [another] }), says: /pinned/ },
  {
    name: 'another pin by the right authority',
    pair: () => ours.issue(here),
    trust: () => ({ ca, pins: [another] }),
    says: /pinned/,
  },
  {
    name: 'the right pin by another authority',
    pair: () => theirs.issue(here),
    trust: (pair) => ({ ca, pins: [pinOfPair(pair)] }),
    says: /not signed by a trusted authority/,
  },
  {
    name: 'an expired certificate',
    pair: () => ours.issue(here, -1),
    trust: () => ({ ca }),
    says: /expired/,
  },
  {
    name: 'an expired certificate, pinned',
    pair: () => theirs.issue(here, -1),
    trust: (pair) => ({ pins: [pinOfPair(pair)] }),
    says: /expired/,
  },
  {
    name: 'none of our certificates',
    pair: () => ours.issue(here),
    server: demandsOurs,
    trust: () => ({ ca }),
    says: /demands a client certificate/,
  },
  {
    name: 'none of our certificates by TLS 1.2',
    pair: () => ours.issue(here),
    server: () => ({ ...demandsOurs(), maxVersion: 'TLSv1.2' }),
    trust: () => ({ ca }),
    says: /no client certificate/,
  },
  {
    name: 'a certificate of ours that it does not know',
    pair: () => ours.issue(here),
    server: demandsOurs,
    trust: () => ({ ca, clientCertificate: 'stranger' }),
    says: /client certificate/,
  },
  {
    name: 'a certificate that nobody listed',
    pair: () => ours.issue(here),
    trust: () => ({ ca, clientCertificate: 'typo' }),
    says: /typo is not listed under clientCertificates/,
  },
  {
    name: 'a certificate whose files are gone',
    pair: () => ours.issue(here),
    trust: () => ({ ca, clientCertificate: 'gone' }),
    says: /no\.(pem|key): the certificate file can't be read/,
  },
]

const nodeAt = (url: string, trust: Partial<NodeTrust>) =>
  codeNode({
    id: nodeId('n1'),
    region: regionId('610100'),
    url,
    weight: 1,
    limit: Infinity,
    trust: { ...systemTrust, ...trust },
    isEnrolled: false,
  })

const settings = { path: '/healthz', timeoutMs: 5000, expectedStatuses: [200] }
const probe = (url: string, trust: Partial<NodeTrust>) =>
  httpProbe(ask, () => settings)(nodeAt(url, trust), new AbortController().signal)

describe('a probe', () => {
  it.each(cases)('is answered by $name as it should be', async ({ pair, server, trust, says }) => {
    const issued = await pair()
    await using node = await tlsNode({ ...issued, ...server?.() })
    const result = await probe(node.url, trust(issued))
    if (says === undefined) expect([result, node.seen]).toMatchObject([{ good: true }, ['GET /healthz']])
    else {
      expect(result).toEqual({ good: false, detail: expect.stringMatching(says) })
      expect(node.seen).toEqual([])
    }
  })

  it('says that a port does not speak TLS', async () => {
    await using plain = await httpUpstream(named('plain'))
    expect(await probe(plain.url.replace('http:', 'https:'), { ca })).toEqual({
      good: false,
      detail: expect.stringMatching(/does not speak TLS/),
    })
  })

  it('leaves no connection behind when it is broken off in the handshake', async () => {
    await using silent = await rawUpstream((socket) => socket.resume())
    const leave = new AbortController()
    const asked = httpProbe(ask, () => settings)(
      nodeAt(silent.url.replace('http:', 'https:'), { ca }),
      leave.signal,
    )
    await eventually(() => expect(silent.connections).toBe(1))
    leave.abort()
    expect(await asked).toMatchObject({ good: false })
    await eventually(() => expect(silent.connections).toBe(0))
  })
})

describe('a gateway', () => {
  const byFile = cases.filter(({ name }) => !/nobody listed|written out/.test(name))
  it('sends requests, uploads and streams to who is believed, and not a byte to anybody else', async () => {
    await using servers = new AsyncDisposableStack()
    const nodes: { case: Case; node: TlsNode; code: string }[] = []
    const regions: object[] = []
    for (const [i, one] of byFile.entries()) {
      const issued = await one.pair()
      const node = servers.use(
        await tlsNode({ ...issued, ...one.server?.() }, (request, response) => {
          request.resume().once('end', () => response.end(`${request.method}`))
        }),
      )
      const code = String(610_100 + i)
      const { ca, ...rest } = one.trust(issued)
      const tls = {
        ...(ca !== undefined && { caFile: ours.certFile }),
        ...Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null)),
      }
      nodes.push({ case: one, node, code })
      regions.push({
        code,
        name: { zh: code, en: code },
        nodes: [{ id: `n${i}`, url: node.url, ...(Object.keys(tls).length > 0 && { tls }) }],
      })
    }
    await using edge = await startTestGateway([], {
      regions,
      clientCertificates: certificates,
      home: { header: 'x-home', default: undefined },
    })
    const answers = async (code: string): Promise<string[]> => {
      const headers = { 'x-home': code }
      const all = await Promise.all([
        fetch(edge.url, { headers }),
        fetch(edge.url, { headers, method: 'POST', body: 'x'.repeat(300_000) }),
        fetch(edge.url, { headers: { ...headers, accept: 'text/event-stream' } }),
      ])
      return Promise.all(all.map(async (answer) => (answer.ok ? answer.text() : String(answer.status))))
    }
    for (const { case: one, node, code } of nodes) {
      const believed = one.says === undefined
      expect([one.name, await answers(code)]).toEqual([
        one.name,
        // Who refuses us may do so while we upload; whether it took anything is not known then.
        believed ? ['GET', 'POST', 'GET'] : ['503', expect.stringMatching(/^50[23]$/), '503'],
      ])
      if (!believed) expect(node.seen).toEqual([])
    }
  }, 60_000)

  it('takes a renewed certificate of its own without a restart, and lets go of connections by the old', async () => {
    const files = await onDisk('renewed', await ours.issue('DNS:first.example'))
    const names: string[] = []
    await using node = await tlsNode(
      { ...(await ours.issue(here)), ...demandsOurs() },
      (request, response) => {
        const { socket } = request
        if (request.url !== '/healthz' && socket instanceof TLSSocket) {
          names.push(socket.getPeerX509Certificate()?.subjectAltName ?? '')
        }
        response.end('ok')
      },
    )
    const tls = { caFile: ours.certFile, clientCertificate: 'renewed' }
    await using edge = await startTestGateway([], {
      regions: [
        { code: '610100', name: { zh: '西安', en: "Xi'an" }, nodes: [{ id: 'n', url: node.url, tls }] },
      ],
      clientCertificates: { renewed: files },
      home: { default: '610100' },
    })
    const last = async (): Promise<string | undefined> => {
      expect((await fetch(edge.url)).status).toBe(200)
      return names.at(-1)
    }
    expect(await last()).toBe('DNS:first.example')
    // Half a renewal: the old pair is used on.
    await writeFile(files.keyFile, 'no key')
    expect(await last()).toBe('DNS:first.example')
    await onDisk('renewed', await ours.issue('DNS:second.example'))
    await eventually(async () => expect(await last()).toBe('DNS:second.example'))
  })

  it('closes connections that were made under a trust that was changed, and believes by the new one alone', async () => {
    const issued = await ours.issue(here)
    await using node = await tlsNode(issued)
    await using edge = await startTestGateway([{ code: '610100', nodes: {} }], {
      regions: [
        { code: '610100', name: { zh: '西安', en: "Xi'an" }, nodes: [] },
        {
          code: '610200',
          name: { zh: '铜川', en: 'Tongchuan' },
          nodes: [{ id: 'x', url: 'http://127.0.0.1:9' }],
        },
      ],
      enrolment: { rampMs: 0 },
    })
    const trusting = (tls: Partial<NodeTrust>) =>
      activeEnrolment(
        {
          nodes: [{ id: nodeId('yanan-1'), url: node.url, weight: 1, limit: null }],
          validUntil: Date.now() + 1e9,
          limit: { rps: 10_000, concurrent: null },
          tls: { ...systemTrust, ...tls },
        },
        Date.now(),
      )
    const { registry } = edge.gateway
    await putEnrolment(registry, trusting({ ca: { pem: String(caPem) } }))
    await eventually(async () => expect((await fetch(edge.url)).status).toBe(200))
    expect(node.open.size).toBeGreaterThan(0)
    await putEnrolment(registry, trusting({ ca: { pem: String(caPem) }, pins: [another] }))
    await eventually(async () => expect((await fetch(edge.url)).status).toBe(503))
    await eventually(() => expect(node.open.size).toBe(0))
    await putEnrolment(registry, trusting({ pins: [pinOfPair(issued)] }))
    await eventually(async () => expect((await fetch(edge.url)).status).toBe(200))
  })
})
