// A lost paper, from the report at home to everybody else: by the list that is made of home's books while home runs.
import { DatabaseSync } from 'node:sqlite'
import { writeFileSync } from 'node:fs'
import { describe, expect, it, jest } from '@jest/globals'
import request from 'supertest'
import { z } from 'zod'
import { paperName } from '../../../region-node/paper-name.ts'
import { createFirstKey, rotate } from '../../../region-node/signing/rotation.ts'
import { eventually } from '../../support/eventually.ts'
import { chiyuan } from '../chiyuan.ts'
import { startTestNode, temporaryFolder } from '../running-node.ts'
import { signingWorld } from '../signing-world.ts'

// Several processes, which take their time on a busy machine.
jest.setTimeout(120_000)

const HOLDER = 'R610100-000002'
const paperSchema = z.object({ codeId: z.uuid(), code: z.string() })

let keys = 0
async function post(url: string, path: string, body: object): Promise<unknown> {
  const sent = request(url)
    .post(path)
    .set('Idempotency-Key', `key-${(keys += 1)}`)
  return (await sent.send(body).expect(201)).body
}

const print = async (url: string) =>
  paperSchema.parse(await post(url, '/v1/paper-codes', { residentId: HOLDER }))

describe('chiyuan trust revoke --lost-from', () => {
  it('has a lost paper refused by donors and without a network, and leaves the others', async () => {
    using folder = temporaryFolder()
    const world = await signingWorld()
    const [dataFile, list] = [folder.file('home.db'), folder.file('610100.jws')]
    const described = folder.file('revoked.yaml')
    const trustList = world.write('trust-of-losses.jws', await world.trustList(Date.now()))
    const dir = world.keys('610100')
    const revoke = (...more: string[]) =>
      chiyuan('trust', 'revoke', ...more, '--lost-from', dataFile, '--dir', dir, '--out', list)
    const offline = async (code: string): Promise<unknown> => {
      const lists = ['--root', world.rootFile, '--trust-list', trustList, '--revocations', list]
      const { code: exit, stdout } = await chiyuan('verify', code, ...lists)
      expect(stdout).not.toMatch(/绿|黄|红|green|yellow/)
      const paper = '纸质码真实，颜色在此未知：须联网查询。代表 1 人，属地 610100'
      expect(stdout.includes(paper)).toBe(exit === 18)
      return exit
    }
    await using home = await startTestNode({ dataFile, trustList })
    const [lost, kept] = [await print(home.url), await print(home.url)]

    const before = await revoke()
    expect(before).toMatchObject({ code: 0, stderr: '' })
    expect(before.stdout).toContain('0 printed codes reported lost')
    const donorOptions = { regionCode: '610400', holds: ['610100'], trustList, revocationLists: [list] }
    await using donor = await startTestNode({ ...donorOptions, lookEveryMs: 20 })
    const atDonor = async (code: string): Promise<unknown> => {
      const { body } = await request(donor.url).post('/v1/verifications').send({ code }).expect(200)
      return body.reason ?? body.status
    }
    expect(await offline(lost.code)).toBe(18)
    expect(await atDonor(lost.code)).toBe('green')

    await post(home.url, '/v1/loss-reports', { residentId: HOLDER, codeId: lost.codeId })
    writeFileSync(described, `revoked:\n  - rid: of-something-else\n`)
    const after = await revoke(described)
    expect(after.stdout).toContain('list 2, ')
    expect(after.stdout).toContain('1 printed codes reported lost')
    expect(after.stdout).not.toContain(paperName(lost.codeId))
    expect([await offline(lost.code), await offline(kept.code)]).toStrictEqual([13, 18])
    const forgetful = await chiyuan('trust', 'revoke', described, '--dir', dir, '--out', list)
    expect(forgetful).toMatchObject({ code: 1, stdout: '' })
    expect(forgetful.stderr).toContain(
      '1 printed codes that it revokes would be good again; give --lost-from',
    )
    await home[Symbol.asyncDispose]()
    await eventually(async () => expect(await atDonor(lost.code)).toBe('revoked'))
    expect(await atDonor(kept.code)).toBe('green')
  })

  it('reminds of the key that is retired, whose papers need a list of their own', async () => {
    using folder = temporaryFolder()
    const [dir, described] = [folder.file('keys'), folder.file('revoked.yaml')]
    writeFileSync(described, 'revoked: []')
    const options = { nowMs: Date.now() - 60_000, days: 180, passphrase: null }
    const { kid } = await createFirstKey(dir, '610100', options)
    const revoke = (...more: string[]) =>
      chiyuan('trust', 'revoke', described, '--dir', dir, '--out', folder.file(`${more.length}.jws`), ...more)
    expect((await revoke()).stdout).not.toContain('retired')
    await rotate(dir, { ...options, nowMs: Date.now() - 1_000, leadSeconds: 0 })
    expect((await revoke()).stdout).toContain(`${kid} is retired, and its papers live on`)
    const own = await revoke('--kid', kid)
    expect(own).toMatchObject({ code: 0, stderr: '' })
    expect(own.stdout).not.toContain('retired')
    expect((await revoke('--kid', 'short')).stderr).toContain('thumbprint of 43 characters')
  })

  it('takes its losses from nothing but the books of the region’s writer, and says what to give', async () => {
    using folder = temporaryFolder()
    const world = await signingWorld()
    const out = folder.file('out.jws')
    const complaint = async (...from: string[]): Promise<string> => {
      const dir = world.keys('610100')
      const ended = await chiyuan('trust', 'revoke', ...from, '--dir', dir, '--out', out)
      expect(ended).toMatchObject({ code: 1, stdout: '' })
      return ended.stderr
    }
    expect(await complaint()).toContain('nothing to revoke was given')
    expect(await complaint('--lost-from', folder.file('none.db'))).toContain('give the data file of 610100')
    writeFileSync(folder.file('text.db'), 'no database')
    expect(await complaint('--lost-from', folder.file('text.db'))).toContain('give the data file of 610100')
    const other = folder.file('other.db')
    await (await startTestNode({ regionCode: '610400', dataFile: other })).close()
    expect(await complaint('--lost-from', other)).toContain('holds nobody of 610100')
    const copy = folder.file('copy.db')
    await (await startTestNode({ dataFile: copy })).close()
    {
      using db = new DatabaseSync(copy)
      db.exec("INSERT INTO copy VALUES (610100, '{}', 1, 0, 1, 0)")
    }
    expect(await complaint('--lost-from', copy)).toContain('is of a node that follows 610100')
    {
      using db = new DatabaseSync(copy)
      db.exec('PRAGMA user_version = 5')
    }
    expect(await complaint('--lost-from', copy)).toContain('schema version 5')
  })
})
