// `residents generate`: whole or not there at all, the same each time, and served as it is.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { refuseWithoutRoom, writeFault } from '../../region-node/generation/target-file.ts'
import { readDocument } from '../../region-node/tokens/document.ts'
import { createPepperFile, readPeppers, tokensOf } from '../../region-node/tokens/peppers.ts'
import { tokenId } from '../../region-node/tokens/token-id.ts'
import {
  CHIYUAN,
  RESIDENT,
  spawnNode,
  startChiyuan,
  startTestNode,
  temporaryFolder,
  toEnd,
} from './running-node.ts'
import type { PipedProcess } from './running-node.ts'

const generate = (...flags: string[]): PipedProcess =>
  startChiyuan('residents', 'generate', '--region', '610100', ...flags)
const generateToEnd = (...flags: string[]) => toEnd(generate(...flags))

/** Everything that is in a file, but for when it was made. */
function contentOf(file: string): unknown[] {
  using db = new DatabaseSync(file, { readOnly: true })
  return ['resident', 'test'].flatMap((table) => db.prepare(`SELECT * FROM ${table}`).all())
}

describe('residents generate', () => {
  it('gives residents ID cards that are nobody’s, by a pepper', async () => {
    using folder = temporaryFolder()
    const [pepperFile, file] = [folder.file('pepper.json'), folder.file('610100.db')]
    createPepperFile(pepperFile)
    const made = await generateToEnd('--count', '20', '--data', file, '--pepper', pepperFile)
    const card = /: (00610119500101\d{3}[\dX])\n$/.exec(made.stdout)?.[1] ?? ''
    const reading = readDocument('resident-id-card', card, Date.now(), true)
    const [token = ''] = reading.ok ? tokensOf(readPeppers(pepperFile), reading.document) : []
    await using node = await startTestNode({ dataFile: file })
    const { body } = await request(node.url).get(`/v1/codes/${tokenId([token])}`)
    expect(body).toMatchObject({ residentToken: token, divisionCode: '610100' })
  })

  it.each([
    { name: 'a pepper file that is missing', count: '20', says: "pepper.json can't be used: ENOENT" },
    { name: 'more residents than cards', count: '26280001', says: 'at most 26280000' },
  ])('says in one line what is wrong with $name, and leaves nothing behind', async ({ count, says }) => {
    using folder = temporaryFolder()
    const flags = ['--data', folder.file('610100.db'), '--pepper', folder.file('pepper.json')]
    const { code, stderr } = await generateToEnd('--count', count, ...flags)
    expect(code).toBe(1)
    expect(stderr.trimEnd().split('\n')).toStrictEqual([expect.stringContaining(says)])
    expect(readdirSync(dirname(folder.file('x')))).toStrictEqual([])
  })

  it('makes the residents that a node makes by itself, and a node serves them as they are', async () => {
    using folder = temporaryFolder()
    const file = folder.file('610100.db')
    const made = await generateToEnd('--count', '3000', '--data', file)
    expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining('made 3,000 synthetic residents') })
    expect(statSync(file).mode & 0o777).toBe(0o600)

    await using served = await spawnNode('--data', file, '--notice-ms', '0')
    await using seeded = await startTestNode({ residents: 3_000 })
    for (const id of [RESIDENT, 'R610100-001234', 'R610100-003000']) {
      for (const path of [`/v1/codes/${id}`, `/v1/tests/${id}`]) {
        const [theirs, ours] = await Promise.all([
          request(served.url).get(path),
          request(seeded.url).get(path),
        ])
        const { code: _c, issuedAt: _i, validUntil: _v, ...lasting } = ours.body
        expect(theirs.body).toMatchObject(lasting)
      }
    }
    await request(served.url).get('/v1/codes/R610100-003001').expect(404)
    const sample = { residentId: RESIDENT, result: 'positive', sampledAt: '2022-01-04T09:00:00+08:00' }
    await request(served.url).post('/v1/tests').send(sample).expect(201)
  })

  it('is the same for the same seed, and other people’s colours for another', async () => {
    using folder = temporaryFolder()
    const [first = [], again, other = []] = await Promise.all(
      [
        ['a', '7'],
        ['b', '7'],
        ['c', '8'],
      ].map(async ([name = '', seed = '']) => {
        await generateToEnd('--count', '500', '--seed', seed, '--data', folder.file(name))
        return contentOf(folder.file(name))
      }),
    )
    expect(first.length).toBeGreaterThan(1_000)
    expect(again).toStrictEqual(first)
    expect(other).not.toStrictEqual(first)
  })

  it('writes them in the order of their tokens, so that each page is touched once', async () => {
    using folder = temporaryFolder()
    await generateToEnd('--count', '20000', '--no-tests', '--data', folder.file('a.db'))
    using db = new DatabaseSync(folder.file('a.db'), { readOnly: true })
    const written = 'SELECT seq, row_number() OVER (ORDER BY token) AS place FROM resident'
    const outOfOrder = db.prepare(`SELECT count(*) AS n FROM (${written}) WHERE seq <> place`).get()
    expect(outOfOrder).toMatchObject({ n: 0 })
    expect(db.prepare('SELECT count(*) AS n FROM test').get()).toMatchObject({ n: 0 })
  })

  it('refuses to replace a file unless told to, and then does', async () => {
    using folder = temporaryFolder()
    const file = folder.file('a.db')
    await generateToEnd('--count', '20', '--data', file)
    const refused = await generateToEnd('--count', '30', '--data', file)
    expect(refused).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `chiyuan: ${file} exists; choose another --data, or replace it with --force\n`,
    })
    expect((await generateToEnd('--count', '30', '--data', file, '--force')).code).toBe(0)
    using db = new DatabaseSync(file, { readOnly: true })
    expect(db.prepare('SELECT count(*) AS n FROM resident').get()).toMatchObject({ n: 30 })
    expect(readdirSync(dirname(file))).toStrictEqual(['a.db'])
  })

  it('does not let the log of a file that is gone be replayed into the new one', async () => {
    using folder = temporaryFolder()
    const file = folder.file('a.db')
    {
      await using node = await spawnNode('--data', file)
      const sample = { residentId: RESIDENT, result: 'positive', sampledAt: '2022-01-04T09:00:00+08:00' }
      await request(node.url).post('/v1/tests').send(sample).expect(201)
    }
    expect(statSync(`${file}-wal`).size).toBeGreaterThan(0)
    rmSync(file)
    await generateToEnd('--count', '20', '--data', file)
    expect(readdirSync(dirname(file))).toStrictEqual(['a.db'])
    await using node = await spawnNode('--data', file)
    const { body } = await request(node.url).get(`/v1/codes/${RESIDENT}`)
    expect(body.status).toBe('yellow')
  })

  it('never replaces a file that a node has open, nor one that is no data file, even when forced', async () => {
    using folder = temporaryFolder()
    const [file, letter] = [folder.file('a.db'), folder.file('letter.txt')]
    writeFileSync(letter, 'dear node')
    await using _node = await spawnNode('--data', file)
    const inUse = await generateToEnd('--count', '20', '--data', file, '--force')
    expect(inUse).toMatchObject({ code: 1, stderr: `chiyuan: ${file} is in use by a node; stop it first\n` })
    const notOurs = await generateToEnd('--count', '20', '--data', letter, '--force')
    expect(notOurs.stderr).toBe(
      `chiyuan: ${letter} is no data file of a region node; choose another --data\n`,
    )
  })

  it.each([
    { signal: 'SIGINT', code: 130 },
    { signal: 'SIGTERM', code: 143 },
  ] as const)('on $signal stops at once, leaves nothing behind and says so', async ({ signal, code }) => {
    using folder = temporaryFolder()
    const child = generate('--count', '2000000', '--data', folder.file('a.db'))
    while (!existsSync(folder.file('a.db.partial'))) await new Promise((tick) => void setTimeout(tick, 20))
    child.kill(signal)
    const ended = await toEnd(child)
    expect(ended).toMatchObject({ code, stdout: '' })
    expect(ended.stderr).toMatch(/chiyuan: stopped; nothing was left behind\n$/)
    expect(readdirSync(folder.file('.'))).toStrictEqual([])
  })

  it('killed outright, leaves no file of that name, and the next run clears what is left', async () => {
    using folder = temporaryFolder()
    const file = folder.file('a.db')
    const child = generate('--count', '2000000', '--data', file)
    while (!existsSync(`${file}.partial`)) await new Promise((tick) => void setTimeout(tick, 20))
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(existsSync(file)).toBe(false)
    const again = await generateToEnd('--count', '20', '--data', file)
    expect(again).toMatchObject({
      code: 0,
      stderr: expect.stringContaining(`removed what an interrupted run had left: ${file}.partial`),
    })
    expect(readdirSync(dirname(file))).toStrictEqual(['a.db'])
  })

  it('stays out of the way of another run that writes the same file', async () => {
    using folder = temporaryFolder()
    const file = folder.file('a.db')
    const first = generate('--count', '2000000', '--data', file)
    while (!existsSync(`${file}.partial`)) await new Promise((tick) => void setTimeout(tick, 20))
    let second = await generateToEnd('--count', '20', '--data', file)
    first.kill('SIGINT')
    await once(first, 'exit')
    expect(second.stderr).toBe(
      `chiyuan: ${file}.partial is being written by another run; wait for it, or stop it\n`,
    )
    second = await generateToEnd('--count', '20', '--data', file)
    expect(second.code).toBe(0)
  })

  it('that can write no further ends in one line and leaves nothing behind', async () => {
    using folder = temporaryFolder()
    // A limit on the size of files is the full disk that needs no rights to make.
    const command = `trap '' XFSZ; ulimit -f 400; exec "$0" "$@"`
    const flags = ['--region', '610100', '--count', '20000', '--data', folder.file('a.db')]
    const child = spawn('sh', ['-c', command, process.execPath, CHIYUAN, 'residents', 'generate', ...flags], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const { code, stderr } = await toEnd(child)
    expect(code).toBe(1)
    expect(stderr).toMatch(/\nchiyuan: .*a\.db can't be written: .*; nothing was left behind\n$/)
    expect(readdirSync(folder.file('.'))).toStrictEqual([])
  })

  it('refuses what would not fit on the disk before it writes', () => {
    using folder = temporaryFolder()
    const file = folder.file('a.db')
    expect(() => refuseWithoutRoom(file, 9e15)).toThrow(
      /a\.db will take about 9000000\.00 GB, and its disk has [\d.]+ [GM]B free; choose another --data, /,
    )
    expect(() => refuseWithoutRoom(file, 1)).not.toThrow()
  })

  it('names a full disk in what it says', () => {
    const { message } = writeFault(new Error('database or disk is full'), 'a.db')
    expect(message).toBe('the disk of a.db is full; nothing was left on it')
  })

  it.each([
    {
      name: 'a folder that is missing',
      file: 'missing/a.db',
      says: /missing is missing; make it, or choose another --data\n$/,
    },
    {
      name: 'a file in place of its folder',
      file: 'letter.txt/a.db',
      says: /a\.db can't be written: ENOTDIR/,
    },
    { name: 'a folder', file: '.', says: /is a folder; --data must name a file/ },
  ])('says what is wrong with $name', async ({ file, says }) => {
    using folder = temporaryFolder()
    writeFileSync(folder.file('letter.txt'), 'dear node')
    const { code, stderr } = await generateToEnd('--count', '20', '--data', folder.file(file))
    expect(code).toBe(1)
    expect(stderr).toMatch(says)
    expect(readdirSync(folder.file('.'))).toStrictEqual(['letter.txt'])
    expect(stderr.trim().split('\n')).toHaveLength(1)
  })

  it.each([
    { flag: '--count', value: '0', right: 'a whole number from 1 to 100000000' },
    { flag: '--count', value: '13e6', right: 'a whole number from 1 to 100000000' },
    { flag: '--count', value: '100000001', right: 'a whole number from 1 to 100000000' },
    { flag: '--region', value: 'xian', right: 'a six-digit division code such as 610100' },
    { flag: '--seed', value: '-1', right: 'a whole number from 0 to 4294967295' },
    { flag: '--data', value: ':memory:', right: 'must be a file, such as data/610100.db' },
  ])('refuses $flag $value with what would be right', async ({ flag, value, right }) => {
    using folder = temporaryFolder()
    const flags = { '--count': '20', '--data': folder.file('a.db'), [flag]: value }
    const { code, stderr } = await generateToEnd(
      ...Object.entries(flags).map(([name, given]) => `${name}=${given}`),
    )
    expect(code).toBe(1)
    expect(stderr).toContain(right)
  })
})
