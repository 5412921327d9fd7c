// `chiyuan terminals`: beside a node that runs, without a restart.
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { syntheticToken } from '../../region-node/synthetic.ts'
import { RESIDENT, runChiyuan, spawnNode, temporaryFolder } from './running-node.ts'

const terminals = (...args: string[]) => runChiyuan('terminals', ...args)

describe('chiyuan terminals', () => {
  it('lets a terminal in at a node that runs, at its backup by the hash, and shuts it out again', async () => {
    using folder = temporaryFolder()
    const [homeFile, backupFile] = [folder.file('home.db'), folder.file('backup.db')]
    await using home = await spawnNode('--data', homeFile)
    await using backup = await spawnNode('--region', '610400', '--holds', '610100', '--data', backupFile)
    const added = await terminals('add', 'gate-1', '--data', homeFile)
    const [, bearer = ''] = /\n {2}(gate-1\.[\w-]{43})\n/.exec(added.stdout) ?? []
    const [, hash = ''] = /--hash ([\da-f]{64}) /.exec(added.stdout) ?? []
    expect(await terminals('add', 'gate-1', '--hash', hash, '--data', backupFile)).toMatchObject({ code: 0 })
    const asks = async (url: string): Promise<number> =>
      (
        await request(url)
          .post('/v1/id-cards/lookups')
          .auth(bearer, { type: 'bearer' })
          .send({ subjectTokens: [syntheticToken(RESIDENT)] })
      ).status
    expect([await asks(home.url), await asks(backup.url)]).toStrictEqual([200, 200])
    const revoked = await terminals('revoke', 'gate-1', '--data', homeFile)
    expect(revoked.stdout).toBe('gate-1 is shut out\n')
    expect([await asks(home.url), await asks(backup.url)]).toStrictEqual([401, 200])
    const { stdout } = await terminals('list', '--data', homeFile)
    expect(stdout).toMatch(/^gate-1 {2}since \d{4}-\d\d-\d\d, revoked \d{4}-\d\d-\d\d\n$/)
    expect(await terminals('add', 'gate-1', '--data', homeFile)).toMatchObject({
      code: 1,
      stderr: 'chiyuan: terminal gate-1 was known before; choose another id\n',
    })
  })

  it.each([
    { args: ['add', 'no spaces'], says: 'must be 1 to 64 letters' },
    { args: ['add', 'gate-1', '--hash', 'abc'], says: 'must be the 64 hexadecimal digits' },
    { args: ['revoke', 'gate-9'], says: 'no terminal gate-9 is let in' },
    { args: ['list', '--data', '/nowhere/node.db'], says: '/nowhere/node.db is missing' },
  ])('refuses $args in one line', async ({ args, says }) => {
    using folder = temporaryFolder()
    await using _node = await spawnNode('--data', folder.file('node.db'))
    const { code, stderr } = await terminals(
      ...(args.includes('--data') ? args : [...args, '--data', folder.file('node.db')]),
    )
    expect(code).toBe(1)
    expect(stderr).toContain(says)
  })
})
