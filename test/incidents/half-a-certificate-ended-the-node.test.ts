// A renewed certificate was copied over the old one, and the node looked while the file was empty: TLS takes an empty
// text for none, what reads the region's name did not, and the fault ended the whole node with its residents' requests.
import { readFileSync, writeFileSync } from 'node:fs'
import { expect, it, jest } from '@jest/globals'
import request from 'supertest'
import { agreementsFile, DONOR, HOME, patienceMs } from '../region-node/replication/federation.ts'
import { agentOf, askAsPeer } from '../region-node/replication/peer-by-hand.ts'
import { peerWorld } from '../region-node/replication/peer-world.ts'
import { startTestNode, temporaryFolder } from '../region-node/running-node.ts'
import { eventually } from '../support/eventually.ts'

jest.setTimeout(30_000)

it.each(['cert', 'key', 'ca'] as const)(
  'an empty, then half a %s leaves the one that is held in use',
  async (which) => {
    using folder = temporaryFolder()
    const made = await (await peerWorld()).filesOf(HOME)
    const peer = { cert: folder.file('cert.pem'), key: folder.file('key.pem'), ca: folder.file('ca.pem') }
    for (const name of ['cert', 'key', 'ca'] as const)
      writeFileSync(peer[name], readFileSync(made[name]), { mode: 0o600 })
    const told: string[] = []
    const tell = (fields: object): void => void told.push(JSON.stringify(fields))
    const agreements = await agreementsFile(`half-${which}`, {})
    await using home = await startTestNode({
      peerPort: 0,
      peer,
      agreements,
      lookEveryMs: 20,
      logger: { warn: tell, error: tell },
    })
    const whole = readFileSync(peer[which], 'utf8')
    for (const part of ['', whole.slice(0, whole.length / 2)]) {
      const before = told.length
      writeFileSync(peer[which], part)
      await eventually(() => expect(told.length).toBeGreaterThan(before), patienceMs)
      expect(told.at(-1)).toMatch(/no PEM that fits together/)
    }
    const agent = await agentOf(DONOR)
    expect((await askAsPeer(home, agent, '/feed?epoch=1&seq=0')).status).toBe(200)
    agent.destroy()
    await request(home.url).get('/readyz').expect(200)
  },
)
