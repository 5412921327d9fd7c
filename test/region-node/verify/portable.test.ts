// The verifier runs where there is no Node: its modules, jose and zod in a context with what every browser has.
import { existsSync, readFileSync, statSync } from 'node:fs'
import { stripTypeScriptTypes } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { SourceTextModule, createContext } from 'node:vm'
import { expect, it, jest } from '@jest/globals'
import { World, aCode, nowMs } from './hand-signed.ts'

// Hundreds of signatures take their time on a busy machine.
jest.setTimeout(60_000)

const entries: Record<string, string> = {
  jose: 'node_modules/jose/dist/webapi/index.js',
  zod: 'node_modules/zod/index.js',
}

/** All of the Web platform that the verifier may need. JavaScript's own globals come with the context. */
const browser = () => ({ crypto, TextEncoder, TextDecoder, atob, btoa, CryptoKey })

function fileOf(specifier: string, from: string): string {
  const entry = entries[specifier]
  if (entry !== undefined) return resolve(entry)
  if (specifier.startsWith('.')) {
    const file = resolve(dirname(from), specifier)
    if (existsSync(file) && statSync(file).isFile()) return file
  }
  throw new Error(`${from} imports ${specifier}, which no browser has`)
}

async function loadInBrowser(file: string): Promise<Record<string, unknown>> {
  const context = createContext(browser())
  const modules = new Map<string, SourceTextModule>()
  const load = (path: string): SourceTextModule => {
    const loaded = modules.get(path)
    if (loaded !== undefined) return loaded
    const text = readFileSync(path, 'utf8')
    const source = path.endsWith('.ts') ? stripTypeScriptTypes(text, { mode: 'strip' }) : text
    const made = new SourceTextModule(source, { context, identifier: path })
    modules.set(path, made)
    return made
  }
  const entry = load(resolve(file))
  await entry.link((specifier, referrer) => load(fileOf(specifier, referrer.identifier)))
  await entry.evaluate()
  return { ...entry.namespace }
}

it('verifies, and refuses, without Node', async () => {
  const world = new World()
  const { judge } = await loadInBrowser(join('test', 'region-node', 'verify', 'checkpoint.ts'))
  if (typeof judge !== 'function') throw new Error('checkpoint.ts has no judge')
  const kit = { root: world.root.jwk, trust: world.trustList(), revocations: world.revocations(), nowMs }
  const tampered = world.code().replace(/.{86}$/, 'A'.repeat(86))
  expect(await judge(world.code(), kit)).toBe('valid green')
  expect(await judge(world.code({ st: 'red' }), kit)).toBe('valid red')
  expect(await judge(tampered, kit)).toBe('tampered')
  expect(
    await judge(world.code({ exp: aCode().iat + 1, iat: aCode().iat - 100 }), {
      ...kit,
      nowMs: nowMs + 60_000,
    }),
  ).toBe('expired')
})
