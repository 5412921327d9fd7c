// The operators' API in this process, on a registry in memory: every answer is held to the API's own document.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'
import type { Express } from 'express'
import request, { type Response, type Test } from 'supertest'
import type { OidcSettings } from '../../config/admin-schema.ts'
import { adminApp } from '../../gateway/admin/app.ts'
import { openOperators } from '../../gateway/compose/operators.ts'
import { openVerifier } from '../../gateway/compose/verification.ts'
import type { DrillMeasured } from '../../gateway/control/drills/parts.ts'
import { EventLog } from '../../gateway/control/events/event-log.ts'
import { Directory } from '../../gateway/control/directory.ts'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import type { Registry } from '../../gateway/control/registry/port.ts'
import type { Role } from '../../gateway/model/operator.ts'
import type { Region } from '../../gateway/model/region.ts'
import { inMode } from '../../config/mode.ts'
import type { Mode } from '../../gateway/model/mode.ts'
import type { Readings } from '../../gateway/model/readings.ts'
import { testConfig } from './gateway.ts'
import { FakeClock } from './fake-clock.ts'
import { nodeReads, reads } from './readings.ts'
import { listening } from './silent-observer.ts'
import { aNode, aRegion } from './values.ts'
import { regionId } from '../../gateway/model/ids.ts'

export interface Api extends AsyncDisposable {
  readonly app: Express
  readonly registry: Registry
  readonly directory: Directory
  /** Faults of our own that were met. */
  readonly faults: readonly string[]
  /** The first admin's token. */
  readonly admin: string
  /** A token of this role. */
  token(role: Role, changes?: { name?: string; scope?: '*' | string[] }): Promise<string>
  get(path: string, token?: string): Test
  post(path: string, body: unknown, token?: string): Test
  put(path: string, body: unknown, version: number | '*', token?: string): Test
  patch(path: string, body: unknown, version: number | '*', token?: string): Test
  delete(path: string, version: number | '*', token?: string): Test
  /** Fails where the answer is not what the document says. Returns it. */
  asDocumented(method: string, path: string, answer: Response): Promise<Response>
}

/** Xi'an with two nodes, Xianyang with one, and Lanzhou in another province. */
export const threeCities: readonly Region[] = [
  aRegion('610100', { nodes: [aNode('xian-1'), aNode('xian-2')], neighbours: [regionId('610400')] }),
  aRegion('610400', { nodes: [aNode('xianyang-1', { region: regionId('610400') })] }),
  aRegion('620100', { nodes: [aNode('lanzhou-1', { region: regionId('620100') })] }),
]

export const threeCitiesNodes = [
  nodeReads('xian-1'),
  nodeReads('xian-2'),
  nodeReads('xianyang-1', '610400'),
  nodeReads('lanzhou-1', '620100'),
]

export async function openApi(
  regions: readonly Region[] = threeCities,
  registry: Registry = openEmbeddedRegistry(':memory:'),
  readings: Readings = reads(threeCitiesNodes),
  oidc?: OidcSettings,
  drills?: DrillMeasured,
  changes: Record<string, unknown> = {},
): Promise<Api> {
  const started = new AsyncDisposableStack()
  started.use(registry)
  const { observer, events } = listening()
  const clock = new FakeClock()
  // What it writes there must be found by no other test.
  const folder = await mkdtemp(join(tmpdir(), 'chiyuan-operators-'))
  started.defer(() => rm(folder, { recursive: true, force: true }))
  const config = testConfig([{ code: '610100', nodes: { n: 'http://127.0.0.1:9' } }], folder, changes)
  const enrolments = () => ({ ...config.enrolment, share: 1 })
  const directory = started.use(
    new Directory({ registry, clock, observer, wallNow: Date.now, enrolments }, () => {}),
  )
  await directory.start(regions)
  const parts = {
    fileMode: () => 'peacetime' as const,
    inMode: (mode: Mode) => inMode(config, mode),
    measured: { read: () => Promise.resolve(readings) },
    events: started.use(new EventLog({ wallNow: Date.now, nameOf: () => null })),
    verifier: openVerifier(() => config, observer, started),
    registry,
    directory,
    observer,
    oidc,
    ...(drills !== undefined && { drills }),
  }
  const { api, firstToken } = await openOperators(parts, started)
  const health = {
    notReady: () => null,
    warnings: () => [],
    metrics: () => Promise.resolve({ contentType: 'text/plain', body: '' }),
  }
  const app = adminApp(health, api)
  const admin = firstToken ?? ''
  const document = new Document(app)
  const call = (method: 'get' | 'post' | 'put' | 'patch' | 'delete', path: string, token: string): Test =>
    request(app)[method](`/api/v1${path}`).set('Authorization', `Bearer ${token}`)
  const match = (version: number | '*'): string => (version === '*' ? '*' : `"${version}"`)
  return {
    app,
    registry,
    directory,
    admin,
    get faults() {
      return events.filter((event) => event.startsWith('internal'))
    },
    async token(role, { name = `${role} person`, scope = '*' } = {}) {
      const made = await call('post', '/tokens', admin).send({ name, roles: [role], scope, reason: 'a test' })
      const body: unknown = made.body
      if (typeof body === 'object' && body !== null && 'token' in body) return String(body.token)
      throw new Error(`no token: ${made.text}`)
    },
    get: (path, token = admin) => call('get', path, token),
    post: (path, body, token = admin) => call('post', path, token).send(Object(body)),
    put: (path, body, version, token = admin) =>
      call('put', path, token).set('If-Match', match(version)).send(Object(body)),
    patch: (path, body, version, token = admin) =>
      call('patch', path, token).set('If-Match', match(version)).send(Object(body)),
    delete: (path, version, token = admin) => call('delete', path, token).set('If-Match', match(version)),
    async asDocumented(method, path, answer) {
      await document.hold(method, path, answer)
      return answer
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DocumentedOperation>>>>
  readonly components: unknown
}
export interface DocumentedOperation {
  readonly responses: Readonly<Record<string, { content?: Record<string, { schema: object }> }>>
}

/** The document as it is served, which judges answers. */
export class Document {
  private readonly app: Express
  private loaded: Promise<OpenApi> | null = null
  private readonly judges = new Map<string, ValidateFunction>()

  constructor(app: Express) {
    this.app = app
  }

  load(): Promise<OpenApi> {
    this.loaded ??= request(this.app)
      .get('/api/v1/openapi.json')
      .expect(200)
      .then(({ text }): OpenApi => JSON.parse(text))
    return this.loaded
  }

  /** @throws {Error} What is not as the document says. */
  async hold(method: string, path: string, answer: Response): Promise<void> {
    const { paths, components } = await this.load()
    const name = `${method} ${path} ${answer.status}`
    const documented = paths[path]?.[method.toLowerCase()]?.responses[String(answer.status)]
    if (documented === undefined) throw new Error(`${name} is not documented: ${answer.text}`)
    const type = (answer.headers['content-type'] ?? '').split(';')[0] ?? ''
    if (documented.content === undefined) {
      if (answer.text !== '') throw new Error(`${name} has a body that is not documented`)
      return
    }
    const schema = documented.content[type]?.schema
    if (schema === undefined) throw new Error(`${name} answers ${type}, which is not documented`)
    if (!type.endsWith('json')) return
    let judge = this.judges.get(`${name} ${type}`)
    if (judge === undefined) {
      const ajv = new Ajv2020({ strict: false, allErrors: true })
      addFormats.default(ajv)
      judge = ajv.compile({ ...schema, components })
      this.judges.set(`${name} ${type}`, judge)
    }
    if (!judge(answer.body)) throw new Error(`${name}: ${JSON.stringify(judge.errors)} in ${answer.text}`)
  }
}
