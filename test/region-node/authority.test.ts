// What a node signs with and goes by: keys made, rotated and sealed, lists taken over and refused, homes not lent.
import { chmodSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { startRegionNode } from '../../region-node/main.ts'
import type { RegionNode, RegionNodeLog } from '../../region-node/main.ts'
import { rotate } from '../../region-node/signing/rotation.ts'
import { eventually } from '../support/eventually.ts'
import { RESIDENT, runToEnd, spawnNode, startTestNode, temporaryFolder } from './running-node.ts'
import { SigningWorld, signingWorld } from './signing-world.ts'

const seconds = (): number => Math.floor(Date.now() / 1000)

function listening(): RegionNodeLog & { said: string[] } {
  const said: string[] = []
  const say = (fields: object, message: string): void =>
    void said.push(`${message} ${JSON.stringify(fields)}`)
  return { said, warn: say, error: say }
}

const codeFrom = (node: RegionNode, residentId = RESIDENT) => request(node.url).get(`/v1/codes/${residentId}`)

const kidIn = (code: string): unknown =>
  JSON.parse(Buffer.from(code.split('.')[0] ?? '', 'base64url').toString()).kid

describe('keys', () => {
  it('are made where there are none, which is said, and serve again at the next start', async () => {
    using folder = temporaryFolder()
    const logger = listening()
    const options = { port: 0, residents: 20, keyFolder: folder.file('keys') }
    let kid: unknown
    {
      await using node = await startRegionNode({ ...options, logger })
      kid = kidIn((await codeFrom(node)).body.code)
      expect(logger.said).toStrictEqual([
        expect.stringMatching(
          /^the key folder was empty: a first key was made; put it in the trust list .*610100/,
        ),
      ])
    }
    await using again = await startRegionNode(options)
    expect(kidIn((await codeFrom(again)).body.code)).toBe(kid)
  })

  it('that were rotated sign without a restart', async () => {
    using folder = temporaryFolder()
    const keyFolder = folder.file('keys')
    await using node = await startRegionNode({ port: 0, residents: 20, keyFolder, lookEveryMs: 10 })
    const before = kidIn((await codeFrom(node)).body.code)
    const options = { nowMs: Date.now() + 1_000, days: 1, passphrase: null, leadSeconds: 0 }
    const { next } = await rotate(keyFolder, options)
    expect(next.kid).not.toBe(before)
    await eventually(async () => expect(kidIn((await codeFrom(node)).body.code)).toBe(next.kid), 5_000)
    const { body } = await request(node.url).get('/v1/jwks')
    expect(new Set(body.keys.map((key: { kid: string }) => key.kid))).toStrictEqual(
      new Set([before, next.kid]),
    )
  })

  it('that were damaged while it ran are told of, and the ones held go on signing', async () => {
    using folder = temporaryFolder()
    const keyFolder = folder.file('keys')
    const logger = listening()
    await using node = await startRegionNode({ port: 0, residents: 20, keyFolder, lookEveryMs: 10, logger })
    for (const name of readdirSync(keyFolder)) writeFileSync(`${keyFolder}/${name}`, 'not a key')
    await eventually(() => expect(logger.said.join()).toContain('the ones held stay in use'))
    expect((await codeFrom(node)).status).toBe(200)
  })

  it('are refused at the start when others may read them, or they are of another region', async () => {
    using world = await SigningWorld.make()
    await expect(startRegionNode({ port: 0, keyFolder: world.keys('610400') })).rejects.toThrow(
      /610400: its keys are of region 610400, and this node is of 610100; give it its own/,
    )
    chmodSync(world.keys('610100'), 0o755)
    await expect(startRegionNode({ port: 0, keyFolder: world.keys('610100') })).rejects.toThrow(/chmod 700/)
  })

  it('lacking, the node says so and shows no code', async () => {
    await using node = await startRegionNode({ port: 0, residents: 20 })
    const { status, body, headers } = await codeFrom(node)
    expect([status, body.type]).toStrictEqual([503, 'urn:chiyuan:problem:no-signing-key'])
    expect(headers).not.toHaveProperty('retry-after')
    expect((await request(node.url).get('/readyz')).body.failed).toMatchObject([{ check: 'signing' }])
  })

  it('that are sealed open by the environment or a private file, and never by an argument', async () => {
    using folder = temporaryFolder()
    const secret = folder.file('passphrase')
    writeFileSync(secret, 'twelve letters and more\n', { mode: 0o600 })
    const flags = ['--keys', folder.file('keys'), '--notice-ms', '0']
    {
      await using node = await spawnNode(...flags, '--passphrase-file', secret)
      expect((await request(node.url).get(`/v1/codes/${RESIDENT}`)).status).toBe(200)
    }
    expect((await runToEnd(...flags)).stderr).toMatch(
      /^region-node: .*the key is sealed; give its passphrase/,
    )
    chmodSync(secret, 0o644)
    expect((await runToEnd(...flags, '--passphrase-file', secret)).stderr).toMatch(/chmod 600/)
    expect((await runToEnd('--help')).stdout).toContain('CHIYUAN_KEY_PASSPHRASE')
  })
})

describe('lists', () => {
  it('are taken over when their files change, and an older or damaged one is refused once, by name', async () => {
    const world = await signingWorld()
    const nowMs = Date.now()
    const trustList = world.write('watched.jws', await world.trustList(nowMs, { counter: 5 }))
    const revocation = world.write('watched-revoked.jws', await world.revocations('610100', nowMs))
    const logger = listening()
    await using node = await startTestNode({
      trustList,
      revocationLists: [revocation],
      lookEveryMs: 10,
      logger,
    })
    const held = async () => (await request(node.url).get('/v1/trust-list')).text
    const newer = await world.trustList(nowMs, { counter: 6 })
    writeFileSync(trustList, newer)
    await eventually(async () => expect(await held()).toBe(newer))
    for (const bad of [
      await world.trustList(nowMs, { counter: 4 }),
      `${newer.slice(0, -86)}${'A'.repeat(86)}`,
    ]) {
      writeFileSync(trustList, bad)
      await eventually(() => expect(logger.said).toHaveLength(1))
      expect(logger.said.splice(0)[0]).toMatch(/a list was refused.*watched\.jws.*(rollback|tampered)/)
      expect(await held()).toBe(newer)
    }
  })

  it('that revoke a resident’s codes are heard of at the next question', async () => {
    const world = await signingWorld()
    const file = world.write('turned-red.jws', await world.revocations('610100', Date.now()))
    await using node = await startTestNode({ revocationLists: [file], lookEveryMs: 10 })
    const { code, residentToken } = (await codeFrom(node)).body
    const judged = async () => (await request(node.url).post('/v1/verifications').send({ code })).body
    expect(await judged()).toMatchObject({ valid: true })
    const revoked = [{ sub: residentToken, before: seconds() + 60 }]
    writeFileSync(file, await world.revocations('610100', Date.now(), { counter: 2, revoked }))
    await eventually(async () => expect(await judged()).toMatchObject({ valid: false, reason: 'revoked' }))
  })

  it('that are not there at the start are told of, and home goes on being served', async () => {
    const world = await signingWorld()
    const logger = listening()
    const trustList = world.write('gone.jws', '')
    rmSync(trustList)
    await using node = await startTestNode({ trustList, logger })
    expect(logger.said).toHaveLength(1)
    expect((await codeFrom(node)).status).toBe(200)
  })

  it('that are older than before a restart are refused, until the operator deletes the counters', async () => {
    const world = await signingWorld()
    using folder = temporaryFolder()
    const nowMs = Date.now()
    const dataFile = folder.file('residents.db')
    const trustList = world.write('restart.jws', await world.trustList(nowMs, { counter: 5 }))
    const revoked = world.write(
      'restart-revoked.jws',
      await world.revocations('610100', nowMs, { counter: 3 }),
    )
    const logger = listening()
    const start = () => startTestNode({ dataFile, trustList, revocationLists: [revoked], logger })
    const listsOf = async ({ url }: RegionNode) => [
      (await request(url).get('/v1/trust-list')).status,
      (await request(url).get('/v1/revocation-lists')).body.lists?.length,
    ]
    {
      await using node = await start()
      expect(await listsOf(node)).toStrictEqual([200, 1])
    }
    // The same lists again are no rollback.
    {
      await using node = await start()
      expect(await listsOf(node)).toStrictEqual([200, 1])
      expect(logger.said).toStrictEqual([])
    }
    world.write('restart-revoked.jws', await world.revocations('610100', nowMs, { counter: 2 }))
    {
      await using node = await start()
      expect(await listsOf(node)).toStrictEqual([200, 0])
      expect(logger.said.splice(0)).toStrictEqual([
        expect.stringMatching(/restart-revoked\.jws.*rollback.*its counter is 2, and 3 was gone by before/),
      ])
    }
    world.write('restart.jws', await world.trustList(nowMs, { counter: 4 }))
    {
      await using node = await start()
      expect((await listsOf(node))[0]).not.toBe(200)
      expect(logger.said.splice(0)[0]).toMatch(/rollback.*delete .*residents\.db\.list-counters\.json/)
    }
    rmSync(`${dataFile}.list-counters.json`)
    {
      await using node = await start()
      expect(await listsOf(node)).toStrictEqual([200, 1])
    }
    expect(logger.said).toStrictEqual([])
  })

  it('whose kept counters are damaged stop the start, since to begin anew would believe any list', async () => {
    using folder = temporaryFolder()
    const dataFile = folder.file('residents.db')
    writeFileSync(`${dataFile}.list-counters.json`, '{"trustList":')
    await expect(startTestNode({ dataFile })).rejects.toThrow(/list-counters\.json are damaged; compare/)
  })

  it('need a root, and the root must be one', async () => {
    const world = await signingWorld()
    const junk = world.write('junk.json', '{"kty":"oct"}')
    await expect(startRegionNode({ port: 0, trustList: junk })).rejects.toThrow(/trustRoot: is needed/)
    await expect(startRegionNode({ port: 0, trustRoot: junk })).rejects.toThrow(/junk\.json is no public JWK/)
  })
})

describe('a home that is not lent', () => {
  const lent = (from: number, until: number) => [{ donor: '610400', hom: '610100', from, until }]

  it.each([
    { name: 'never', delegations: [] },
    { name: 'not any more', delegations: lent(seconds() - 200, seconds() - 100) },
    { name: 'not yet', delegations: lent(seconds() + 3_600, seconds() + 7_200) },
  ])('is not signed for: $name', async ({ name, delegations }) => {
    const world = await signingWorld()
    const trustList = world.write(`${name}.jws`, await world.trustList(Date.now(), { delegations }))
    await using node = await startTestNode({ regionCode: '610400', holds: ['610100'], trustList })
    const { status, body } = await codeFrom(node)
    expect([status, body]).toMatchObject([
      421,
      { type: 'urn:chiyuan:problem:undelegated', divisionCode: '610100' },
    ])
    const ready = await request(node.url).get('/readyz')
    expect(ready.status).toBe(200)
    expect(ready.body.notReadyFor).toMatchObject([{ region: '610100', check: 'signing' }])
    expect((await request(node.url).get('/readyz?home=610100')).status).toBe(503)
    expect((await request(node.url).get('/readyz?home=610500')).status).toBe(503)
    expect((await request(node.url).get('/readyz?home=610400')).status).toBe(200)
    expect((await codeFrom(node, 'R610400-000001')).status).toBe(200)
  })
})

it('a node whose key nobody would believe is not ready', async () => {
  const world = await signingWorld()
  const text = await world.trustList(Date.now(), { without: '610100', delegations: [] })
  await using node = await startTestNode({ trustList: world.write('without.jws', text) })
  const { status, body } = await request(node.url).get('/readyz')
  expect([status, body.failed]).toMatchObject([503, [{ check: 'signing' }]])
})
