// A gateway's own name: made once, kept in its folder, and no reason not to start.
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from '@jest/globals'
import { ownName } from '../../gateway/control/drills/own-name.ts'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'chiyuan-name-'))
})
afterEach(() => rm(folder, { recursive: true }))

it('is made once, and kept', async () => {
  const place = join(folder, 'data')
  const first = await ownName(place, 'gw')
  expect(first).toEqual({ name: expect.stringMatching(/^gw-[0-9a-f]{8}$/), trouble: null })
  expect(await ownName(place, 'renamed')).toEqual(first)
})

it('is one for two that start together on one folder', async () => {
  const names = await Promise.all([ownName(folder, 'gw'), ownName(folder, 'gw')])
  expect(new Set(names.map(({ name }) => name))).toEqual(
    new Set([(await readFile(join(folder, 'gateway-name'), 'utf8')).trim()]),
  )
})

it.each([
  ['can’t be written', () => chmod(folder, 0o500)],
  ['holds something else', () => writeFile(join(folder, 'gateway-name'), '../x y\n')],
])('does for this process where its file %s, which is said', async (_, spoil) => {
  await spoil()
  const { name, trouble } = await ownName(folder, 'gw')
  // The superuser may write anywhere.
  if (process.getuid?.() === 0 && trouble === null) return
  expect(name).toMatch(/^gw-[0-9a-f]{8}$/)
  expect(trouble).toMatch(/gateway-name holds no name .* set dataDir to a folder that can be written/)
})
