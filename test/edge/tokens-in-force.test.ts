// Tokens in place of numbers: off by default, in force on every kind of request, and changed by a reload as a whole.
import { chmodSync, writeFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { rotatePeppers } from '../../region-node/tokens/peppers.ts'
import { syntheticCitizenNumber } from '../../region-node/tokens/synthetic-number.ts'
import { eventually } from '../support/eventually.ts'
import { gatedNode } from '../support/gated-node.ts'
import { startTestGateway, testConfig } from '../support/gateway.ts'
import { connectH2, request } from '../support/h2-client.ts'
import { card, misreadCard, type TestPeppers, testPeppers } from '../support/id-cards.ts'
import { sendRaw, statusOf } from '../support/raw-client.ts'
import { selfSigned } from '../support/self-signed.ts'
import { headerIn, type Wire, wireUpstream } from '../support/wire.ts'
import { startWorkerGateway } from '../support/worker-gateway.ts'

let peppers: TestPeppers
let node: Wire

beforeEach(async () => {
  peppers = testPeppers()
  node = await wireUpstream()
})

afterEach(async () => {
  await node.close()
  peppers[Symbol.dispose]()
})

const sent = (): string => node.seen.join('')
const regions = () => [{ code: '610100', nodes: { 'xian-1': node.url } }]
const start = (changes: Record<string, unknown> = {}) =>
  startTestGateway(regions(), { tokens: { pepperFile: peppers.file }, ...changes })

it('without a pepper file nothing is made of a number', async () => {
  await using edge = await startTestGateway(regions())
  expect((await fetch(`${edge.url}/v1/codes/${card}`)).status).toBe(200)
  expect(sent()).toContain(`GET /v1/codes/${card} HTTP/1.1`)
})

it('as shipped, the paths and bodies of the node’s own contract are looked at', async () => {
  await using edge = await start()
  for (const name of ['codes', 'credentials', 'tests', 'registrations', 'declarations', 'corrections']) {
    await fetch(`${edge.url}/v1/${name}/${card}`)
    expect(sent()).toContain(`GET /v1/${name}/${peppers.idOf(card)} HTTP/1.1`)
  }
  const written = ['tests', 'registrations', 'declarations', 'corrections', 'verifications', 'paper-codes']
  for (const name of [...written, 'loss-reports', 'family-codes']) {
    const body = JSON.stringify({ residentId: card })
    const headers = { 'content-type': 'application/json' }
    expect((await fetch(`${edge.url}/v1/${name}`, { method: 'POST', headers, body })).status).toBe(200)
  }
  expect(sent().split(`{"residentId":"${peppers.idOf(card)}"}`)).toHaveLength(written.length + 3)
  expect(sent()).not.toContain(card)
})

it('a terminal’s tokens pass as they are, and a number that it sends by mistake does not', async () => {
  await using edge = await start()
  const post = (subjectTokens: string[]) =>
    fetch(`${edge.url}/v1/id-cards/lookups`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ subjectTokens }),
    })
  const token = peppers.idOf(card).slice(2)
  expect((await post([token])).status).toBe(200)
  expect(sent()).toContain(`{"subjectTokens":["${token}"]}`)
  expect((await post([token, card])).status).toBe(400)
  expect(sent()).not.toContain(card)
})

it('a number is refused in the resident’s language, as a page where a page was asked for', async () => {
  await using edge = await start()
  const headers = { accept: 'text/html', 'accept-language': 'en' }
  const answer = await fetch(`${edge.url}/v1/codes/${misreadCard}`, { headers })
  expect(answer.status).toBe(422)
  expect(await answer.text()).toContain('<h1>The document number is not valid</h1>')
  expect(await edge.metric('chiyuan_refusals_total', 'reason="document-number"')).toBe(1)
})

it('a number under a home’s prefix is a token under the home', async () => {
  await using edge = await start({ home: { pathPrefix: '/r/{home}' } })
  await fetch(`${edge.url}/r/610100/v1/codes/${card}`)
  expect(sent()).toContain(`GET /v1/codes/${peppers.idOf(card)} HTTP/1.1`)
  expect((await fetch(`${edge.url}/r/${card}/v1/codes/1`)).status).toBe(404)
  expect(sent()).not.toContain(card)
})

it('a WebSocket’s path and an event stream’s are looked at too', async () => {
  await using edge = await start({ tokens: { pepperFile: peppers.file, paths: [{ path: '/v1/live/{id}' }] } })
  const upgrade = (id: string): string =>
    `GET /v1/live/${id} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nReferer: http://a/${card}\r\n\r\n`
  await sendRaw(edge.port, upgrade(card), { until: '\r\n\r\n' })
  expect(sent()).toContain(`GET /v1/live/${peppers.idOf(card)} HTTP/1.1`)
  expect(statusOf((await sendRaw(edge.port, upgrade(misreadCard))).text)).toBe(422)
  await fetch(`${edge.url}/v1/live/${card}`, { headers: { accept: 'text/event-stream' } })
  expect(sent().split(peppers.idOf(card))).toHaveLength(3)
  expect(sent()).not.toContain(card.slice(0, 14))
})

it('over HTTP/2 it is the same', async () => {
  await using files = await selfSigned()
  const tls = { certFile: files.certFile, keyFile: files.keyFile }
  const headers = [{ name: 'x-resident-id' }]
  await using edge = await start({
    public: { port: 0, tls },
    tokens: { pepperFile: peppers.file, headers },
  })
  using client = connectH2(edge.port)
  const { session } = client
  const asked = { ':path': `/v1/codes/${card}?a=1`, 'x-resident-id': card, referer: `https://a/${card}` }
  expect((await request(session, asked)).status).toBe(200)
  expect(sent()).toContain(`GET /v1/codes/${peppers.idOf(card)}?a=1 HTTP/1.1`)
  expect(headerIn(sent(), 'x-resident-id')).toBe(peppers.idOf(card))
  const body = JSON.stringify({ residentId: card })
  const posted = { ':method': 'POST', ':path': '/v1/tests', 'content-type': 'application/json' }
  expect((await request(session, posted, body)).status).toBe(200)
  expect(sent()).toContain(`{"residentId":"${peppers.idOf(card)}"}`)
  expect((await request(session, { ':path': `/v1/codes/${misreadCard}` })).status).toBe(422)
  expect((await request(session, { ':path': `/x?id=${card}` })).status).toBe(400)
  expect((await request(session, { ':path': '/x', ':authority': `n${card}.example` })).status).toBe(400)
  expect((await request(session, posted, `{"residentId":"${misreadCard}"}`)).status).toBe(422)
  // Characters that HTTP/1.1 does not let into an address.
  const wide = Buffer.from(
    card.replaceAll(/\d/g, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)),
  )
  const answer = await request(session, { ':path': `/v1/codes/${wide.toString('latin1')}` })
  expect([200, 400]).toContain(answer.status)
  expect(sent()).not.toContain(card.slice(0, 14))
})

it('a resident who writes the number in two ways shares one upstream request', async () => {
  const held = await gatedNode()
  await using _node = held.node
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': held.node.url } }], {
    tokens: { pepperFile: peppers.file },
    classes: { critical: { coalesce: true, routes: [{ path: '/v1/**' }] } },
  })
  const ask = (id: string) =>
    sendRaw(edge.port, `GET /v1/codes/${id} HTTP/1.1\r\nHost: a\r\n\r\n`, { until: 'done' })
  const one = ask(card)
  await held.holds(1)
  const other = ask(encodeURIComponent(` ${card}`))
  await eventually(async () =>
    expect(await edge.metric('chiyuan_coalesced_total', 'home="610100",class="critical"')).toBe(1),
  )
  held.answer(({ response }) => void response.end('done'))
  expect((await one).text).toContain('done')
  expect((await other).text).toContain('done')
})

it('a guard that is turned off lets through what stands where no number is configured', async () => {
  await using edge = await start({ tokens: { pepperFile: peppers.file, guard: false } })
  expect((await fetch(`${edge.url}/v1/people/${card}`)).status).toBe(200)
  await fetch(`${edge.url}/v1/codes/${card}`)
  expect(sent()).toContain(`/v1/people/${card} `)
  expect(sent()).toContain(`/v1/codes/${peppers.idOf(card)} `)
})

it('in a drill synthetic residents are served by their own ids, and their numbers are taken', async () => {
  await using edge = await start({ tokens: { pepperFile: peppers.file, drill: true } })
  const nobody = syntheticCitizenNumber(0)
  const wrong = `${nobody.slice(0, 17)}${nobody.endsWith('1') ? '2' : '1'}`
  expect((await fetch(`${edge.url}/v1/codes/R610100-000001`)).status).toBe(200)
  expect((await fetch(`${edge.url}/v1/codes/${nobody}`)).status).toBe(200)
  expect((await fetch(`${edge.url}/v1/codes/${wrong}`)).status).toBe(422)
  expect((await fetch(`${edge.url}/v1/people/${nobody}`)).status).toBe(400)
  expect(sent()).toContain('/v1/codes/R610100-000001 ')
  expect(sent()).toContain(`/v1/codes/${peppers.idOf(nobody)} `)
})

it('more numbers in one body than anybody has a use for are refused', async () => {
  await using edge = await start()
  const post = (count: number) =>
    fetch(`${edge.url}/v1/family-codes`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ memberIds: Array.from({ length: count }, () => card) }),
    })
  expect((await post(256)).status).toBe(200)
  expect((await post(257)).status).toBe(413)
})

describe('a reload', () => {
  it('takes over a rotated pepper file: the new epoch’s token first, the old one behind it', async () => {
    await using edge = await start()
    await fetch(`${edge.url}/v1/codes/${card}`)
    const old = peppers.idOf(card)
    rotatePeppers(peppers.file)
    expect(edge.gateway.reload(edge.config)).toEqual([])
    await fetch(`${edge.url}/v1/codes/${card}`)
    const both = peppers.idOf(card)
    expect(both).toMatch(/^t\.[\w-]{22}\.[\w-]{22}$/)
    expect(both.endsWith(old.slice(1))).toBe(true)
    expect(sent()).toContain(`/v1/codes/${both} `)
  })

  it('with a pepper file that others can read is refused, and nothing has changed', async () => {
    await using edge = await start()
    const before = peppers.idOf(card)
    chmodSync(peppers.file, 0o644)
    const next = { ...edge.config, attempts: { ...edge.config.attempts, maxAttempts: 1 } }
    expect(() => edge.gateway.reload(next)).toThrow(
      `tokens.pepperFile: pepper file ${peppers.file} can be read by others (mode 644); run: chmod 600 ${peppers.file}`,
    )
    await fetch(`${edge.url}/v1/codes/${card}`)
    expect(sent()).toContain(`/v1/codes/${before} `)
  })

  it('turns it on and off', async () => {
    await using edge = await startTestGateway(regions())
    const on = testConfig(regions(), edge.config.dataDir, { tokens: { pepperFile: peppers.file } })
    edge.gateway.reload(on)
    await fetch(`${edge.url}/v1/codes/${card}`)
    expect(sent()).not.toContain(card)
    edge.gateway.reload(edge.config)
    await fetch(`${edge.url}/v1/codes/${card}`)
    expect(sent()).toContain(card)
  })

  it('of a gateway of several workers reaches all, and one that is refused ends none', async () => {
    await using gateway = await startWorkerGateway(regions(), { tokens: { pepperFile: peppers.file } })
    const ask = async () => {
      const line = `GET /v1/codes/${card} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`
      return statusOf((await sendRaw(gateway.port, line)).text)
    }
    await eventually(async () => expect(await ask()).toBe(200), 5000)
    rotatePeppers(peppers.file)
    process.kill(gateway.pid, 'SIGHUP')
    await gateway.logged(({ event }) => event === 'reloaded')
    const both = peppers.idOf(card)
    await eventually(async () => {
      await ask()
      expect(sent()).toContain(`/v1/codes/${both} `)
    })
    const pids = [gateway.pidOf(1), gateway.pidOf(2)]
    writeFileSync(peppers.file, 'SECRET')
    process.kill(gateway.pid, 'SIGHUP')
    const refused = await gateway.logged(({ event }) => event === 'reload-refused')
    expect(refused.msg).toContain('it is not JSON')
    expect(refused.msg).not.toContain('SECRET')
    expect(await ask()).toBe(200)
    expect([gateway.pidOf(1), gateway.pidOf(2)]).toEqual(pids)
    expect(sent()).not.toContain(card)
  }, 20_000)
})

describe('a gateway does not start', () => {
  it('without its pepper file', async () => {
    await expect(
      startTestGateway(regions(), { tokens: { pepperFile: '/nowhere/pepper.json' } }),
    ).rejects.toThrow("tokens.pepperFile: pepper file /nowhere/pepper.json can't be used: ENOENT")
  })

  it('with more epochs than a request can name', async () => {
    for (let epoch = 2; epoch <= 5; epoch += 1) rotatePeppers(peppers.file)
    await expect(start()).rejects.toThrow('5 epochs; a request can name 4: remove the oldest')
  })

  it.each([
    { tokens: { paths: [{ path: '/v1/codes/x{id}' }] }, says: 'a path with one segment {id}' },
    { tokens: { paths: [{ path: '/v1/codes' }] }, says: 'a path with one segment {id}' },
    { tokens: { headers: [{ name: 'Cookie' }] }, says: 'a header of its own, such as X-Resident-Id' },
    { tokens: { bodies: [{ path: '/v1/tests/', fields: ['a'] }] }, says: 'without a final slash' },
    { tokens: { query: [{ name: 'id', type: 'synthetic' }] }, says: 'it must be one of: resident-id-card' },
  ])('with places that are none: $says', ({ tokens, says }) => {
    expect(() => testConfig(regions(), '/nowhere', { tokens })).toThrow(says)
  })
})
