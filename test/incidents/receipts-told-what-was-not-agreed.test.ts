// Home answers what a donor hands over with the resident's row as it is then. It gave every field, whatever the donor's
// agreement lent, and gave it also to a donor whose agreement had ended: by handing over registrations of chosen tokens
// such a donor could read the colour and test of anybody.
import { expect, it, jest } from '@jest/globals'
import { syntheticToken } from '../../region-node/synthetic.ts'
import {
  type AgreementGiven,
  agreementsFile,
  DONOR,
  startHome,
} from '../region-node/replication/federation.ts'
import { agentOf, askAsPeer } from '../region-node/replication/peer-by-hand.ts'

jest.setTimeout(30_000)

const registration = {
  kind: 'registration',
  recordId: '6c4c0b5e-5a38-4b3e-9a2f-0d3a3f6f1c11',
  residentToken: syntheticToken('R610100-000002'),
  basis: { epoch: 1, seq: 1 },
  siteId: 'site-1',
  tubeId: null,
  registeredAtMs: 1_641_258_000_000,
  receivedAtMs: 1_641_258_000_000,
}

it.each<{ name: string; agreement: AgreementGiven; row: unknown }>([
  {
    name: 'all',
    agreement: {},
    row: [
      registration.residentToken,
      'green',
      expect.any(Number),
      expect.any(Number),
      'negative',
      1,
      expect.any(Number),
    ],
  },
  {
    name: 'neither test nor time',
    agreement: { fields: [] },
    row: [registration.residentToken, 'green', expect.any(Number), null, null, 1, expect.any(Number)],
  },
  { name: 'nothing any more', agreement: { until: '2021-01-01T00:00:00+08:00' }, row: null },
])('a receipt holds what the agreement lends: $name', async ({ agreement, row }) => {
  await using home = await startHome(await agreementsFile('receipts', agreement))
  const agent = await agentOf(DONOR)
  const hand = async () => {
    const { status, body } = await askAsPeer(home, agent, '/journal', { writes: [registration] })
    expect(status).toBe(200)
    return JSON.parse(body)
  }
  expect((await hand()).receipts).toEqual([{ recordId: registration.recordId, outcome: 'merged', row }])
  expect((await hand()).receipts).toEqual([{ recordId: registration.recordId, outcome: 'known', row }])
  agent.destroy()
})
