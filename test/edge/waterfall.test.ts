// What the nearest level can't take flows on to the next, at once and no further than needed; donors give what they agreed to.
import { describe, expect, it } from '@jest/globals'
import { ask, heldNode, region, startCrowd, waiting } from '../support/crowd.ts'
import { eventually } from '../support/eventually.ts'
import { httpUpstream, named } from '../support/upstream.ts'

const patient = { queue: { targetWaitMs: 5000, maxWaitMs: 5000 } }

it('fills the nearest level, then the next, and spills the rest at once', async () => {
  await using local = await heldNode('local')
  await using neighbour = await heldNode('neighbour')
  await using province = await httpUpstream(named('province'))
  await using edge = await startCrowd([
    region('610100', { 'xian-1': { url: local.node.url, limit: 2 } }, { neighbours: ['610400'] }),
    region('610400', { 'xianyang-1': { url: neighbour.node.url, limit: 3 } }),
    region('610000', { 'shaanxi-1': province.url }, { tier: 'province' }),
  ])
  const early = Array.from({ length: 5 }, (_, i) => ask(edge, `/v1/codes/R${i}`))
  await eventually(() => expect([local.open, neighbour.open]).toEqual([2, 3]))
  // Both levels still hold theirs: who comes now waits for nobody.
  for (let i = 0; i < 10; i++) expect((await ask(edge, `/v1/codes/S${i}`)).body).toBe('province')
  expect([local.open, neighbour.open]).toEqual([2, 3])
  local.letGo()
  await Promise.all(early.slice(0, 2))
  expect((await ask(edge, '/v1/codes/T')).body).toBe('local')
  neighbour.letGo()
  const names = (await Promise.all(early)).map(({ body }) => body).sort()
  expect(names).toEqual(['local', 'local', 'neighbour', 'neighbour', 'neighbour'])
})

describe('a donor', () => {
  it('has no more open for others than limitConcurrent, its own residents not counted', async () => {
    await using donor = await heldNode('donor')
    await using province = await httpUpstream(named('province'))
    await using edge = await startCrowd([
      region('610100', {}, { neighbours: ['610400'] }),
      region('610400', { 'xianyang-1': donor.node.url }, { lends: { limitConcurrent: 2 } }),
      region('610000', { 'shaanxi-1': province.url }, { tier: 'province' }),
    ])
    const own = Array.from({ length: 4 }, (_, i) => ask(edge, `/v1/codes/own-${i}`, '610400'))
    await eventually(() => expect(donor.open).toBe(4))
    const borrowed = Array.from({ length: 12 }, (_, i) => ask(edge, `/v1/codes/R${i}`))
    const first = await Promise.all(borrowed.map((answer, i) => (i < 2 ? Promise.resolve(null) : answer)))
    expect(first.slice(2).every((answer) => answer?.body === 'province')).toBe(true)
    expect(donor.open).toBe(6)
    donor.letGo()
    expect((await Promise.all([...own, ...borrowed.slice(0, 2)])).map(({ body }) => body)).toEqual(
      Array.from({ length: 6 }, () => 'donor'),
    )
    // What was given back can be lent again.
    expect((await ask(edge, '/v1/codes/later')).body).toBe('donor')
  })

  it('gives no more in a second than limitRps', async () => {
    await using donor = await httpUpstream(named('donor'))
    await using province = await httpUpstream(named('province'))
    await using edge = await startCrowd([
      region('610100', {}, { neighbours: ['610400'] }),
      region('610400', { 'xianyang-1': donor.url }, { lends: { limitRps: 40 } }),
      region('610000', { 'shaanxi-1': province.url }, { tier: 'province' }),
    ])
    const startedAt = performance.now()
    const answers: string[] = []
    while (performance.now() - startedAt < 800) answers.push((await ask(edge, '/v1/codes/R')).body)
    const seconds = (performance.now() - startedAt) / 1000
    const given = answers.filter((body) => body === 'donor').length
    // A tenth of a second's worth may come at once.
    expect(given).toBeLessThanOrEqual(40 * seconds + 4 + 1)
    expect(given).toBeGreaterThan(40 * seconds * 0.8)
    expect(answers.every((body) => body === 'donor' || body === 'province')).toBe(true)
    expect(donor.requests).toBe(given)
  })

  it('keeps homeReserve for its own residents: they are served at once while others fill the rest', async () => {
    await using donor = await heldNode('donor')
    await using province = await httpUpstream(named('province'))
    await using edge = await startCrowd([
      region('610100', {}, { neighbours: ['610400'] }),
      region('610400', { 'xianyang-1': { url: donor.node.url, limit: 6 } }, { lends: { homeReserve: 0.5 } }),
      region('610000', { 'shaanxi-1': province.url }, { tier: 'province' }),
    ])
    const borrowed = Array.from({ length: 3 }, (_, i) => ask(edge, `/v1/codes/R${i}`))
    await eventually(() => expect(donor.open).toBe(3))
    expect((await ask(edge, '/v1/codes/fourth')).body).toBe('province')
    const own = Array.from({ length: 3 }, (_, i) => ask(edge, `/v1/codes/own-${i}`, '610400'))
    await eventually(() => expect(donor.open).toBe(6))
    expect(await waiting(edge)).toBe(0)
    donor.letGo()
    expect((await Promise.all([...borrowed, ...own])).every(({ body }) => body === 'donor')).toBe(true)
  })

  it('gives a freed place to its own resident, though others have waited for longer', async () => {
    await using donor = await heldNode('donor')
    await using edge = await startCrowd(
      [
        region('610100', {}, { neighbours: ['610400'] }),
        region('610400', { 'xianyang-1': { url: donor.node.url, limit: 1 } }),
      ],
      patient,
    )
    const answers = [ask(edge, '/v1/codes/first')]
    await eventually(() => expect(donor.open).toBe(1))
    answers.push(ask(edge, '/v1/codes/borrowed'))
    await eventually(async () => expect(await waiting(edge)).toBe(1))
    answers.push(ask(edge, '/v1/history/own', '610400'))
    await eventually(async () => expect(await waiting(edge)).toBe(2))
    donor.release(1)
    await eventually(() => expect(donor.open).toBe(1))
    donor.letGo()
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([200, 200, 200])
    expect(donor.seen).toEqual(['/v1/codes/first', '/v1/history/own', '/v1/codes/borrowed'])
  })
})
