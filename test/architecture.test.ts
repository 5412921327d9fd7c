// The import rules of the design, held by reading every file: imports run one way, pure code does no I/O.
import { readdirSync, readFileSync } from 'node:fs'
import { join, normalize } from 'node:path'
import { describe, expect, it } from '@jest/globals'

const files = ['gateway', 'region-node', 'config'].flatMap((folder) =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name)),
)
const source = new Map(files.map((file) => [file, readFileSync(file, 'utf8')]))

const importsOf = (file: string): string[] =>
  [...(source.get(file) ?? '').matchAll(/(?:from|import)\s*\(?'([^']+)'/g)].map(([, target = '']) =>
    target.startsWith('.') ? normalize(join(file, '..', target)) : target,
  )

const layerOf = (file: string): string => {
  // How numbers become tokens is one thing, to the byte, for gateways, terminals and nodes.
  if (file.startsWith('region-node/tokens/')) return 'tokens'
  // How a process keeps itself in Consul's catalogue is one thing for gateways and nodes.
  if (file.startsWith('region-node/registration/')) return 'registration'
  const [top, second = ''] = file.split('/')
  return top === 'gateway' ? (second.endsWith('.ts') ? second.slice(0, -3) : second) : (top ?? '')
}

/** What each layer may import, besides itself and packages. */
const allowed: Record<string, readonly string[]> = {
  model: [],
  tokens: [],
  registration: [],
  config: ['model', 'tokens'],
  policy: ['model', 'config'],
  telemetry: ['model', 'config'],
  control: ['model', 'config', 'policy', 'telemetry', 'tokens', 'registration'],
  edge: ['model', 'config', 'policy', 'telemetry', 'control', 'tokens'],
  admin: ['model', 'config', 'policy', 'telemetry', 'control'],
  compose: ['model', 'config', 'policy', 'telemetry', 'control', 'edge', 'admin', 'registration'],
  workers: ['model', 'config', 'policy', 'telemetry', 'control', 'admin', 'compose'],
  main: ['model', 'config', 'telemetry', 'compose', 'workers'],
  cli: ['model', 'config', 'policy', 'main', 'compose', 'region-node'],
  'region-node': ['tokens', 'registration'],
}

describe.each(files)('%s', (file) => {
  it('imports only what its layer may', () => {
    const layer = layerOf(file)
    const wrong = importsOf(file)
      .filter((target) => source.has(target))
      .filter((target) => layerOf(target) !== layer && !allowed[layer]?.includes(layerOf(target)))
    expect(wrong).toEqual([])
  })

  it('begins by saying what it does', () => {
    expect(source.get(file)?.replace(/^#!.*\n/, '')).toMatch(/^\/\/ \S/)
  })

  it('is no longer than 300 lines', () => {
    expect(source.get(file)?.split('\n').length).toBeLessThanOrEqual(330)
  })
})

const inPolicy = files.filter(
  (file) => file.startsWith('gateway/policy/') || file.startsWith('gateway/model/'),
)

it.each(inPolicy)('%s reads no clock, draws no chance and does no I/O', (file) => {
  expect(importsOf(file).filter((target) => target.startsWith('node:'))).toEqual([])
  expect(source.get(file)).not.toMatch(
    /Date\.now|performance\.|Math\.random|setTimeout|setInterval|process\.[a-z]|new Date\(/,
  )
})

it.each([
  ['opossum', 'gateway/control/breakers.ts'],
  ['consul', 'gateway/control/registry/consul/connection.ts'],
  ['http-proxy-middleware', 'gateway/edge/forward/stream-proxy.ts'],
  ['@peculiar/asn1-x509', 'region-node/peers/certificate-form.ts'],
])('only one file imports %s', (library, importer) => {
  expect(files.filter((file) => importsOf(file).includes(library))).toEqual([importer])
})

it('only telemetry imports prom-client', () => {
  const importers = files.filter((file) => importsOf(file).includes('prom-client'))
  expect(importers.filter((file) => !file.startsWith('gateway/telemetry/'))).toEqual([])
})

it('only the signing and verifying of codes, and of the identity provider’s tokens, imports jose', () => {
  const importers = files.filter((file) => importsOf(file).includes('jose'))
  expect(
    importers.filter(
      (file) => !/^region-node\/(?:verify|signing)\/|^gateway\/control\/access\/oidc\.ts$/.test(file),
    ),
  ).toEqual([])
})

// What reads a private key can show it; one file does, and its tests hold what comes out.
it('only one file of each kind makes, reads or exports private keys', () => {
  const readers = files.filter((file) =>
    /\b(?:exportJWK|exportPKCS8|generateKeyPair(?:Sync)?|createPrivateKey|privateKeyOf)\(/.test(
      source.get(file) ?? '',
    ),
  )
  expect(readers).toEqual([
    // Keys of TLS, which OpenSSL takes as PEM and jose has no certificates for.
    'region-node/peers/certificates.ts',
    'region-node/signing/key-document.ts',
    // They ask it for keys that can sign and can't be exported.
    'region-node/signing/key-ring.ts',
    'region-node/signing/rotation.ts',
  ])
})

const inVerify = files.filter((file) => file.startsWith('region-node/verify/'))

// It runs in a checkpoint's browser, with the network off; verify/portable.test.ts runs it there.
it.each(inVerify)('%s needs nothing that a browser has not', (file) => {
  const foreign = importsOf(file).filter(
    (target) => !inVerify.includes(target) && target !== 'jose' && target !== 'zod',
  )
  expect(foreign).toEqual([])
  expect(source.get(file)).not.toMatch(/\bBuffer\b|\bprocess\.|\brequire\(/)
})

it('nothing in the project says how or where it is developed', () => {
  const told = [...source].filter(([, text]) =>
    /\/work\/|\/root\/|\bclaude\b|\banthropic\b|sandbox/i.test(text),
  )
  expect(told.map(([file]) => file)).toEqual([])
})

it.each(['gateway/model/version.ts', 'region-node/version.ts'])('%s tells the package’s version', (file) => {
  const [, released] = /"version": "([^"]+)"/.exec(readFileSync('package.json', 'utf8')) ?? []
  expect(source.get(file)).toContain(`export const version = '${released}'`)
})
