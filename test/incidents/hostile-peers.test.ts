// What a peer with a good certificate, or a stranger without one, could do to a node. A donor that polled a thousand
// times at once had home look at its feed a thousand times after every commit; silent strangers were counted nowhere.
// A home whose 16 KB unpacked to half a gigabyte had it all unpacked into the donor's memory.
// A home that answered what is no JSON was quoted, a resident's token with it, in the donor's log and at its /readyz.
import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createZstdCompress } from 'node:zlib'
import { beforeAll, expect, it, jest } from '@jest/globals'
import request from 'supertest'
import { syntheticToken } from '../../region-node/synthetic.ts'
import {
  agreementsFile,
  DONOR,
  HOME,
  patienceMs,
  positive,
  startDonor,
  startHome,
} from '../region-node/replication/federation.ts'
import { agentOf, askAsPeer } from '../region-node/replication/peer-by-hand.ts'
import { peerWorld } from '../region-node/replication/peer-world.ts'
import { eventually } from '../support/eventually.ts'

jest.setTimeout(60_000)

const head = '/feed?epoch=1&seq=1000&waitMs=20000'
const page = '/feed?epoch=1&seq=0'

it('one region’s thousand polls leave home to its residents and to other donors', async () => {
  await using home = await startHome(await agreementsFile('polls', {}, { donor: '610500' }))
  const [greedy, other] = await Promise.all([agentOf('610500'), agentOf(DONOR)])
  const statuses: number[] = []
  const polls = Array.from({ length: 1_000 }, () =>
    askAsPeer(home, greedy, head).then(
      ({ status }) => void statuses.push(status),
      () => undefined,
    ),
  )
  await eventually(() => expect(statuses).toHaveLength(1_000 - 64), patienceMs)
  expect(new Set(statuses)).toEqual(new Set([503]))
  expect((await askAsPeer(home, other, page)).status).toBe(200)
  await request(home.url)
    .post('/v1/tests')
    .send(positive(`R${HOME}-000002`))
    .expect(201)
  await request(home.url).get(`/v1/codes/R${HOME}-000002`).expect(200)
  greedy.destroy()
  await Promise.all(polls)
  // Those who are gone hold no place.
  const again = await agentOf('610500')
  await eventually(async () => expect((await askAsPeer(home, again, page)).status).toBe(200), patienceMs)
  again.destroy()
  other.destroy()
})

it('strangers who say nothing take none of the residents’ connections, and peers get in once they are gone', async () => {
  await using home = await startHome(await agreementsFile('strangers', {}))
  const strangers: Socket[] = []
  let turnedAway = 0
  for (let nth = 0; nth < 1_100; nth += 1) {
    const stranger = connect(home.peerPort ?? 0, '127.0.0.1')
    stranger.on('error', () => undefined)
    stranger.once('close', () => (turnedAway += 1))
    stranger.resume()
    strangers.push(stranger)
  }
  await eventually(() => expect(turnedAway).toBeGreaterThanOrEqual(1_100 - 1_024), patienceMs)
  await request(home.url).get(`/v1/codes/R${HOME}-000002`).expect(200)
  for (const stranger of strangers) stranger.destroy()
  const agent = await agentOf(DONOR)
  await eventually(async () => expect((await askAsPeer(home, agent, page)).status).toBe(200), patienceMs)
  agent.destroy()
})

const token = syntheticToken(`R${HOME}-000002`)
const mebibyte = Buffer.alloc(2 ** 20)
let bomb: Buffer
beforeAll(async () => {
  // Never whole in this process, whose memory is looked at below.
  const nothing = Readable.from(Array.from({ length: 512 }, () => mebibyte))
  bomb = await buffer(nothing.pipe(createZstdCompress()))
})
const json = { 'content-type': 'application/json' }

it.each<{ name: string; answer: (response: ServerResponse) => void }>([
  {
    name: 'a page cut off',
    answer: (response) => response.writeHead(200, json).end(`{"rows":[["${token}","gr`),
  },
  { name: 'a token alone', answer: (response) => response.writeHead(200, json).end(token) },
  { name: 'HTML', answer: (response) => response.writeHead(200).end(`<p>${token}</p>`) },
  {
    name: 'rows of another shape',
    answer: (response) => response.writeHead(200, json).end(`{"rows":[["${token}"]]}`),
  },
  {
    name: '512 MB of nothing in 16 KB',
    answer: (response) => response.writeHead(200, { ...json, 'content-encoding': 'zstd' }).end(bomb),
  },
  {
    name: 'less than it promised',
    answer: (response) =>
      void response.writeHead(200, { ...json, 'content-length': 500 }).write(token, () => response.destroy()),
  },
  { name: 'no end', answer: (response) => void response.writeHead(200, json).write('{"rows":[') },
  {
    name: 'a fault that names a resident',
    answer: (response) =>
      response
        .writeHead(500, json)
        .end(JSON.stringify({ type: `urn:chiyuan:problem:${token}`, detail: token })),
  },
])('a home that answers $name is not followed, and not quoted', async ({ answer }) => {
  const { cert, key, ca } = await (await peerWorld()).filesOf(HOME)
  const read = (file: string): string => readFileSync(file, 'utf8')
  let asked = 0
  const home = createServer(
    { cert: read(cert), key: read(key), ca: read(ca), requestCert: true },
    (_, response) => {
      asked += 1
      answer(response)
    },
  )
  using _closing = {
    [Symbol.dispose]: () => {
      home.close()
      home.closeAllConnections()
    },
  }
  home.listen(0, '127.0.0.1')
  await once(home, 'listening')
  const address = home.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const said: unknown[] = []
  const logger = {
    warn: (...line: unknown[]) => said.push(line),
    error: (...line: unknown[]) => said.push(line),
  }
  {
    await using donor = await startDonor(`https://127.0.0.1:${port}`, { logger })
    await eventually(() => expect(asked).toBeGreaterThan(2), patienceMs)
    expect(process.memoryUsage().arrayBuffers).toBeLessThan(256 * 2 ** 20)
    const { text } = await request(donor.url).get('/readyz').expect(200)
    said.push(text)
    await request(donor.url).get(`/v1/codes/R${HOME}-000002`).expect(421)
    await request(donor.url).get(`/v1/codes/R${DONOR}-000002`).expect(200)
  }
  for (let at = 0; at + 8 <= token.length; at += 1)
    expect(JSON.stringify(said)).not.toContain(token.slice(at, at + 8))
})
