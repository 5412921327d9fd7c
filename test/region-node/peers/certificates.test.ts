import { execFile } from 'node:child_process'
import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto'
import { rmSync, writeFileSync } from 'node:fs'
import { promisify } from 'node:util'
import { describe, expect, it } from '@jest/globals'
import { certificatePem } from '../../../region-node/peers/certificate-form.ts'
import type { PeerPurpose } from '../../../region-node/peers/certificate-form.ts'
import { hostField, issueForRegion, makeAuthority } from '../../../region-node/peers/certificates.ts'
import type { KeyedCertificate } from '../../../region-node/peers/certificates.ts'
import { hostsIn, issueInto, readPair, peerPathsIn } from '../../../region-node/peers/certificate-files.ts'
import { temporaryFolder } from '../running-node.ts'
import { meet } from './meeting.ts'
import type { Side } from './meeting.ts'

const dayMs = 86_400_000
const nowMs = Date.now()
const hosts = ['127.0.0.1', 'node.example']
const authority = makeAuthority({ name: 'Test regions 测试', days: 900, nowMs: nowMs - 100 * dayMs })
const stranger = makeAuthority({ name: 'Test regions 测试', days: 900, nowMs })

const side = ({ certificate, privateKey }: KeyedCertificate, believed = authority): Side => ({
  cert: certificate,
  key: privateKey,
  ca: believed.certificate,
})
const issue = (region: string, changes: { hosts?: string[]; days?: number; nowMs?: number } = {}) =>
  issueForRegion(authority, { region, hosts, days: 30, nowMs, ...changes })

const xianyang = issue('610400')
const xian = issue('610100')

describe('two regions with certificates of one authority', () => {
  it.each([true, false])('know each other, with strict %s', async (strict) => {
    expect(await meet(side(xianyang), side(xian), { strict })).toEqual({ server: '610100', client: '610400' })
  })

  it('know each other by name', async () => {
    const met = await meet(side(xianyang), side(xian), { servername: 'node.example' })
    expect(met).toEqual({ server: '610100', client: '610400' })
  })

  it('refuse a name that is not in the certificate', async () => {
    const met = await meet(side(xianyang), side(xian), { servername: 'other.example' })
    expect(met).toEqual({ server: null, client: 'ERR_TLS_CERT_ALTNAME_INVALID' })
  })

  it('refuse an address that is not in the certificate', async () => {
    const elsewhere = issue('610400', { hosts: ['192.0.2.1', '127.0.0.2'] })
    expect((await meet(side(elsewhere), side(xian))).client).toBe('ERR_TLS_CERT_ALTNAME_INVALID')
  })

  it('know a renewed certificate with the old key', async () => {
    const renewed = issueForRegion(authority, {
      region: '610100',
      hosts,
      days: 60,
      nowMs,
      privateKey: xian.privateKey,
    })
    expect(renewed.certificate).not.toBe(xian.certificate)
    expect((await meet(side(xianyang), side({ ...xian, certificate: renewed.certificate }))).server).toBe(
      '610100',
    )
  })
})

const keyOf = ({ privateKey }: KeyedCertificate) => createPrivateKey(privateKey)

const withPurpose = (changes: Partial<PeerPurpose>): KeyedCertificate => {
  const content = {
    commonName: '610100',
    issuer: new X509Certificate(authority.certificate),
    publicKey: createPublicKey(xian.privateKey),
    notBeforeMs: nowMs - 60_000,
    notAfterMs: nowMs + dayMs,
    purpose: { uri: 'urn:chiyuan:region:610100', hosts, usages: ['serverAuth', 'clientAuth'], ...changes },
  } as const
  return { certificate: certificatePem(content, keyOf(authority)), privateKey: xian.privateKey }
}

describe('a server', () => {
  it.each([
    [
      'of another authority of the same name',
      issueForRegion(stranger, { region: '610100', hosts, days: 30, nowMs }),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    ['that is over', issue('610100', { days: 1, nowMs: nowMs - 2 * dayMs }), 'CERT_HAS_EXPIRED'],
    ['that is not valid yet', issue('610100', { nowMs: nowMs + 2 * dayMs }), 'CERT_NOT_YET_VALID'],
    ['that may not call', withPurpose({ usages: ['serverAuth'] }), 'INVALID_PURPOSE'],
  ])('refuses a client with a certificate %s', async (_, held, reason) => {
    const told = await meet(side(xianyang), side(held))
    expect(told).toEqual({ server: `refused: ${reason}`, client: '610400' })
    expect((await meet(side(xianyang), side(held), { strict: true })).server).toBeNull()
  })

  it('refuses a client without a certificate', async () => {
    const client = { ca: authority.certificate }
    expect((await meet(side(xianyang), client, { strict: true })).server).toBeNull()
  })

  it('is told no region by a name that only looks like one', async () => {
    const uri = 'https://node.example/'
    const posing = withPurpose({
      uri,
      hosts: ['a, URI:urn:chiyuan:region:610400', 'b", URI:urn:chiyuan:region:610400'],
    })
    expect((await meet(side(xianyang), side(posing))).server).toBe('null')
  })
})

describe('a client', () => {
  it.each([
    [
      'of another authority of the same name',
      issueForRegion(stranger, { region: '610400', hosts, days: 30, nowMs }),
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ],
    ['that is over', issue('610400', { days: 1, nowMs: nowMs - 2 * dayMs }), 'CERT_HAS_EXPIRED'],
    ['that may not serve', withPurpose({ usages: ['clientAuth'] }), 'INVALID_PURPOSE'],
    ['that is the authority’s own', authority, 'INVALID_PURPOSE'],
  ])('refuses a server with a certificate %s', async (_, held, reason) => {
    expect(await meet(side(held), side(xian))).toEqual({
      server: null,
      client: reason,
    })
  })

  it('believes nobody whom a region signed', async () => {
    const forged = certificatePem(
      {
        commonName: '610400',
        issuer: new X509Certificate(xian.certificate),
        publicKey: createPublicKey(xian.privateKey),
        notBeforeMs: nowMs,
        notAfterMs: nowMs + dayMs,
        purpose: { uri: 'urn:chiyuan:region:610400', hosts, usages: ['serverAuth', 'clientAuth'] },
      },
      keyOf(xian),
    )
    const held = { certificate: `${forged}${xian.certificate}`, privateKey: xian.privateKey }
    expect((await meet(side(held), side(xian))).client).toMatch(/^[A-Z_]+$/)
  })
})

describe('a certificate', () => {
  it('is what OpenSSL takes in its strictest mode, for both sides of TLS', async () => {
    using home = temporaryFolder()
    const six = issue('610400', { hosts: ['::1', '2001:db8::5', '::ffff:192.0.2.1', 'xn--fiq228c.example'] })
    writeFileSync(home.file('ca.pem'), authority.certificate)
    for (const { certificate } of [xianyang, six]) {
      writeFileSync(home.file('peer.pem'), certificate)
      for (const purpose of ['sslserver', 'sslclient']) {
        const args = [
          '-x509_strict',
          '-purpose',
          purpose,
          '-CAfile',
          home.file('ca.pem'),
          home.file('peer.pem'),
        ]
        const { stdout } = await promisify(execFile)('openssl', ['verify', ...args])
        expect(stdout).toContain('peer.pem: OK')
      }
    }
    expect(hostsIn(new X509Certificate(six.certificate).subjectAltName)).toEqual([
      '0:0:0:0:0:0:0:1',
      '2001:DB8:0:0:0:0:0:5',
      '0:0:0:0:0:FFFF:C000:201',
      'xn--fiq228c.example',
    ])
  })

  it('of an authority signs certificates of peers, and no authorities', async () => {
    using home = temporaryFolder()
    writeFileSync(home.file('ca.pem'), authority.certificate)
    const args = ['x509', '-in', home.file('ca.pem'), '-noout', '-ext', 'basicConstraints,keyUsage']
    const { stdout } = await promisify(execFile)('openssl', args)
    expect(stdout.split('\n').map((line) => line.trim())).toEqual([
      'X509v3 Basic Constraints: critical',
      'CA:TRUE, pathlen:0',
      'X509v3 Key Usage: critical',
      'Certificate Sign, CRL Sign',
      '',
    ])
  })

  it('says what it is for, from five minutes ago until as many days as were asked for', () => {
    const read = new X509Certificate(xianyang.certificate)
    expect(read.subject).toBe('CN=610400')
    expect(read.ca).toBe(false)
    expect(read.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2'])
    expect(read.validFromDate.getTime()).toBe(Math.floor((nowMs - 300_000) / 1000) * 1000)
    expect(read.validToDate.getTime()).toBe(Math.floor((nowMs + 30 * dayMs) / 1000) * 1000)
    expect(read.serialNumber).toMatch(/^[4-7][0-9A-F]{31}$/)
    expect(read.serialNumber).not.toBe(new X509Certificate(xian.certificate).serialNumber)
  })

  it.each([
    ['0 days', { days: 0 }, 'days: must be at least 1 day'],
    ['826 days', { days: 826 }, 'days: must be at most 825 days; renew it instead of making it longer'],
    ['no host', { hosts: [] }, 'hosts: must be at least one name or address at which the node listens'],
    ['a host with a port', { hosts: ['node.example:9443'] }, 'hosts.0: must be a DNS name'],
    ['more days than its authority has', { days: 825 }, 'give --days 799 or fewer'],
    ['a time after its authority', { nowMs: nowMs + 900 * dayMs }, 'make a new one: chiyuan peers ca'],
  ])('is not issued for %s', (_, changes, told) => {
    expect(() => issue('610400', changes)).toThrow(told)
  })

  it('is not issued for what is no region, by a region, or with a stranger’s key', () => {
    expect(() => issue('61040')).toThrow('region: must be a six-digit division code such as 610100')
    const request = { region: '610400', hosts, days: 1, nowMs }
    expect(() => issueForRegion(xian, request)).toThrow('ca.pem: it is no authority’s certificate')
    expect(() => issueForRegion({ ...authority, privateKey: xian.privateKey }, request)).toThrow(
      'ca-key.pem: it is not the key of the certificate beside it',
    )
    expect(() => issueForRegion({ ...authority, privateKey: 'secret' }, request)).toThrow(
      /^ca-key.pem: it is no private key in PEM(?!.*secret)/,
    )
  })
})

it('two that issue into one folder at the same moment leave one pair that fits, and one is told', async () => {
  using home = temporaryFolder()
  const out = home.file('610400')
  const request = { region: '610400', hosts, days: 30, nowMs }
  const tries = await Promise.allSettled([1, 2].map(() => issueInto(out, authority, request, 'new')))
  const [done, ...others] = tries.filter(({ status }) => status === 'fulfilled')
  expect(done).toMatchObject({ value: (await readPair(peerPathsIn(out))).certificate })
  expect(others).toEqual([])
  const told = tries.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []))
  expect(told).toEqual([expect.stringMatching(/peer(?:-key)?\.pem: there is one already; keep it, renew/)])
})

it('a key without its certificate is not replaced untold', async () => {
  using home = temporaryFolder()
  const request = { region: '610400', hosts, days: 30, nowMs }
  await issueInto(home.file('610400'), authority, request, 'new')
  rmSync(home.file('610400/peer.pem'))
  await expect(issueInto(home.file('610400'), authority, request, 'new')).rejects.toThrow(
    'peer-key.pem: there is one already; keep it, renew',
  )
  await issueInto(home.file('610400'), authority, request, 'replace')
  await readPair(peerPathsIn(home.file('610400')))
})

it.each([
  ['127.0.0.1', true],
  ['2001:db8::1', true],
  ['node.example', true],
  ['localhost', true],
  ['', false],
  ['*.example', false],
  ['node.example.', false],
  ['-a.example', false],
  ['a_b.example', false],
  ['1.2.3', false],
  ['1.2.3.456', false],
  ['fe80::1%eth0', false],
  ['[::1]', false],
  ['a, URI:urn:chiyuan:region:610400', false],
  ['节点.example', false],
  [`${'a'.repeat(64)}.example`, false],
  [`${'a.'.repeat(127)}ab`, false],
])('%j as a host is taken: %s', (host, taken) => {
  expect(hostField.safeParse(host).success).toBe(taken)
})
