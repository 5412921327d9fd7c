import { X509Certificate } from 'node:crypto'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { expect, it } from '@jest/globals'
import { preparePeers } from '../../../region-node/peers/prepare.ts'
import type { PeerPaths } from '../../../region-node/peers/certificate-files.ts'
import { temporaryFolder } from '../running-node.ts'
import { meet } from './meeting.ts'
import type { Side } from './meeting.ts'

const dayMs = 86_400_000
const nowMs = Date.now()
const regions = ['610100', '610400']

async function prepared(folder: string, atMs: number): Promise<{ files: PeerPaths[]; sides: Side[] }> {
  const made = await preparePeers(folder, regions, atMs)
  const files = [...made.values()]
  expect([...made.keys()]).toEqual(regions)
  const text = (file: string) => readFileSync(file, 'utf8')
  return {
    files,
    sides: files.map((each) => ({
      cert: text(each.cert),
      key: text(each.key),
      ca: text(each.ca),
    })),
  }
}

const know = async ([a, b]: Side[]): Promise<void> => {
  if (a === undefined || b === undefined) throw new Error('two sides meet')
  for (const servername of [undefined, 'localhost']) {
    const options = { strict: true, ...(servername === undefined ? {} : { servername }) }
    expect(await meet(a, b, options)).toEqual({ server: '610400', client: '610100' })
  }
}

it('regions prepared in an empty folder know each other, and keep what they have', async () => {
  using home = temporaryFolder()
  const folder = home.file('peers')
  const { sides } = await prepared(folder, nowMs)
  await know(sides)
  expect((await prepared(folder, nowMs + 26 * dayMs)).sides).toEqual(sides)
})

it('a certificate that is over within three days is renewed for the same key', async () => {
  using home = temporaryFolder()
  const { sides: old } = await prepared(home.file('peers'), nowMs - 28 * dayMs)
  const { sides } = await prepared(home.file('peers'), nowMs)
  expect(sides.map(({ cert }) => cert)).not.toEqual(old.map(({ cert }) => cert))
  expect(sides.map(({ key, ca }) => [key, ca])).toEqual(old.map(({ key, ca }) => [key, ca]))
  await know(sides)
})

it('an authority near its end is replaced, and with it every certificate', async () => {
  using home = temporaryFolder()
  const { sides: old } = await prepared(home.file('peers'), nowMs - 350 * dayMs)
  const { sides } = await prepared(home.file('peers'), nowMs)
  for (const [index, side] of sides.entries()) {
    expect(side.ca).not.toBe(old[index]?.ca)
    expect(new X509Certificate(side.cert).checkIssued(new X509Certificate(side.ca))).toBe(true)
  }
  await know(sides)
})

it.each([
  ['a key that is missing', (files: PeerPaths) => rmSync(files.key)],
  ['a certificate cut short', (files: PeerPaths) => writeFileSync(files.cert, '-----BEGIN CERT')],
  ['a list of authorities that is missing', (files: PeerPaths) => rmSync(files.ca)],
])('%s is made good', async (_, damage) => {
  using home = temporaryFolder()
  const { files } = await prepared(home.file('peers'), nowMs)
  for (const each of files) damage(each)
  await know((await prepared(home.file('peers'), nowMs)).sides)
})
