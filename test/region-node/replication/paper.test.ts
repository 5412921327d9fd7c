// Paper at a donor that follows home over mutual TLS: with the colour that home wrote last, and after home's death.
import { writeFileSync } from 'node:fs'
import { expect, it, jest } from '@jest/globals'
import request from 'supertest'
import { z } from 'zod'
import { paperName } from '../../../region-node/paper-name.ts'
import type { RegionNode } from '../../../region-node/main.ts'
import { eventually as eventuallyWithin } from '../../support/eventually.ts'
import { temporaryFolder } from '../running-node.ts'
import { signingWorld } from '../signing-world.ts'
import {
  agreementsFile,
  HOME,
  patienceMs,
  peerUrl,
  positive,
  readyFor,
  startDonor,
  startHome,
} from './federation.ts'

jest.setTimeout(60_000)

const eventually = (check: () => void | Promise<void>): Promise<void> => eventuallyWithin(check, patienceMs)
const [HOLDER, CHILD] = ['R610100-000002', 'R610100-000003']
const printedSchema = z.object({ codeId: z.uuid(), code: z.string() })

const send = (node: RegionNode, path: string, key: string, body: object) =>
  request(node.url).post(path).set('Idempotency-Key', key).send(body)
const verified = (node: RegionNode, code: string) =>
  request(node.url).post('/v1/verifications').send({ code })

it('is believed with home’s last colour once home is dead, and refused when a list says that it is lost', async () => {
  using folder = temporaryFolder()
  const world = await signingWorld()
  const list = folder.file('610100.jws')
  const issue = async (counter: number, ...lost: string[]): Promise<void> => {
    const revoked = lost.map((codeId) => ({ rid: paperName(codeId) }))
    writeFileSync(list, await world.revocations(HOME, Date.now(), { counter, revoked }))
  }
  await issue(1)
  const home = await startHome(await agreementsFile('paper', {}))
  await using donor = await startDonor(peerUrl(home), { revocationLists: [list] })
  await readyFor(donor)
  const print = async (path: string, body: object) =>
    printedSchema.parse((await send(home, path, path, body).expect(201)).body)
  const paper = await print('/v1/paper-codes', { residentId: HOLDER })
  const family = await print('/v1/family-codes', { residentId: CHILD, memberIds: [HOLDER] })
  expect((await verified(donor, paper.code)).body).toMatchObject({ valid: true, status: 'green' })
  await send(home, '/v1/tests', 'test', positive(HOLDER)).expect(201)
  await eventually(async () => expect((await verified(donor, paper.code)).body.status).toBe('red'))
  await home.close()
  for (const { code } of [paper, family]) {
    const { body } = await verified(donor, code).expect(200)
    expect(body).toMatchObject({ valid: true, status: 'red', divisionCode: HOME, freshness: 'replica' })
  }
  // Printing stays home's own, and so does the report of a loss.
  await send(donor, '/v1/paper-codes', 'p', { residentId: HOLDER }).expect(409)
  await send(donor, '/v1/loss-reports', 'l', { residentId: HOLDER }).expect(409)
  await issue(2, paper.codeId)
  await eventually(async () => expect((await verified(donor, paper.code)).body.reason).toBe('revoked'))
  expect((await verified(donor, family.code)).body.valid).toBe(true)
})

it('is not judged from a copy that may not stand in', async () => {
  using folder = temporaryFolder()
  const world = await signingWorld()
  const list = folder.file('610100.jws')
  writeFileSync(list, await world.revocations(HOME, Date.now()))
  await using home = await startHome(await agreementsFile('paper-old', { rpoSeconds: 1, maxAgeSeconds: 2 }))
  let nowMs = Date.now()
  await using donor = await startDonor(peerUrl(home), { revocationLists: [list], clock: () => nowMs })
  await readyFor(donor)
  const printed = await send(home, '/v1/paper-codes', 'print', { residentId: HOLDER }).expect(201)
  const { code } = printedSchema.parse(printed.body)
  await verified(donor, code).expect(200)
  await home.close()
  nowMs += 3_600_000
  const refused = await verified(donor, code)
  expect([refused.status, refused.body.type]).toStrictEqual([421, 'urn:chiyuan:problem:copy-not-fit'])
})
