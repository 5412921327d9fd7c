// Our own node meets the contract, with every check on: as the home of its residents, and as a donor.
import { writeFileSync } from 'node:fs'
import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { runConformance } from '../../../region-node/conformance/run.ts'
import type { RunOptions } from '../../../region-node/conformance/run.ts'
import { spawnNode, startTestNode, temporaryFolder } from '../running-node.ts'
import { signingWorld } from '../signing-world.ts'
import { notPassed, paperSkipped, rootsOf } from './judged.ts'

/** Signed ten minutes ago by another node of the region. */
async function expiredCode(region: string): Promise<string> {
  await using node = await startTestNode({
    regionCode: region,
    holds: ['610100'],
    clock: () => Date.now() - 600_000,
  })
  const answer = await fetch(`${node.url}/v1/codes/R610100-000001`)
  return z.object({ code: z.string() }).parse(await answer.json()).code
}

const everything = async (url: string, region = '610100'): Promise<RunOptions> => ({
  url: new URL(url),
  home: '610100',
  otherHome: '999999',
  residents: ['R610100-000001', 'R610100-000002'],
  roots: await rootsOf((await signingWorld()).rootFile),
  expiredCode: await expiredCode(region),
  write: true,
  overload: true,
  timeoutMs: 10_000,
})

describe('our own node', () => {
  it('conforms as home', async () => {
    await using node = await startTestNode({ limit: 16 })
    const card = await runConformance(await everything(node.url))
    expect(notPassed(card)).toStrictEqual([])
    expect(card).toMatchObject({ conforms: true, rootFrom: 'file' })
  })

  it('conforms as a donor, which prints no paper', async () => {
    await using node = await startTestNode({ limit: 16, regionCode: '610400', holds: ['610100'] })
    expect(notPassed(await runConformance(await everything(node.url, '610400')))).toStrictEqual(paperSkipped)
  })

  it('conforms as a process of its own, with the limit that it has by default', async () => {
    using folder = temporaryFolder()
    const world = await signingWorld()
    const list = folder.file('trust.jws')
    writeFileSync(list, await world.trustList(Date.now()))
    await using node = await spawnNode('--trust-root', world.rootFile, '--trust-list', list)
    expect(notPassed(await runConformance(await everything(node.url)))).toStrictEqual([])
  })
})
