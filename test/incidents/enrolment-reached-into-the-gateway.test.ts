// An operator of one province enrolled a donor whose node was the gateway's own machine, under its address, a name or a
// spelling of it, or the address at which clouds tell of themselves. The verification spoke to it and told what it found,
// and a name that changed after the verification would have led residents' requests there.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals'
import { mayReachIn } from '../../gateway/control/node-tls/allowed-address.ts'
import { verify } from '../../gateway/control/verification/verify.ts'
import { Pools } from '../../gateway/edge/forward/pools.ts'
import { nodeId, regionId } from '../../gateway/model/ids.ts'
import { codeNode } from '../../gateway/policy/code-node.ts'
import { newEnrolment } from '../../gateway/policy/enrolment.ts'
import { activeEnrolment, putEnrolment, someTerms, submitter } from '../support/enrolments.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway, testConfig } from '../support/gateway.ts'
import { aHold, putHold } from '../support/holds.ts'
import { connectorWith } from '../support/node-tls.ts'
import { httpUpstream, named, type Upstream } from '../support/upstream.ts'

let inside: Upstream
beforeAll(async () => {
  inside = await httpUpstream(named('inside'))
})
afterAll(async () => {
  await inside[Symbol.asyncDispose]()
})

const nodeAt = (url: string, isEnrolled: boolean) =>
  codeNode({
    id: nodeId('n1'),
    region: regionId('610600'),
    url,
    weight: 1,
    limit: Infinity,
    trust: null,
    isEnrolled,
  })

const spellings = ['127.0.0.1', 'localhost', '2130706433', '127.1', '[::ffff:127.0.0.1]', '0.0.0.0', '[::]']

it.each(spellings)('is refused by verification and by every connection: %s', async (host) => {
  const url = `http://${host}:${new URL(inside.url).port}`
  const connector = connectorWith({}, mayReachIn([]))
  const terms = someTerms({ nodes: [{ id: nodeId('n1'), url, weight: 1, limit: null }] })
  const { checks, verdict } = await verify(newEnrolment(terms, submitter, 0, 'e1'), {
    connector,
    signal: new AbortController().signal,
    progress: () => {},
  })
  expect(verdict).toBe('failed')
  const [connect] = checks
  expect(connect).toMatchObject({ name: 'connect', outcome: 'failed' })
  expect(connect?.detail.en).toContain('enrolment.networks')
  await expect(connector.connect(nodeAt(url, true), { timeoutMs: 1000 })).rejects.toMatchObject({
    code: 'ADDRESS_NOT_ALLOWED',
  })
})

it('gets no probe and no resident from a whole gateway', async () => {
  await using edge = await startTestGateway([{ code: '610100', nodes: { 'xian-1': inside.url } }], {
    enrolment: { networks: ['10.0.0.0/8'] },
  })
  await using donor = await httpUpstream(named('donor'))
  const nodes = [{ id: nodeId('n1'), url: donor.url, weight: 1, limit: null }]
  const validUntil = Date.now() + 86_400_000
  await putEnrolment(edge.gateway.registry, activeEnrolment({ nodes, validUntil }, Date.now()))
  await putHold(edge.gateway.registry, aHold('xian-1', 'trip', Date.now() + 60_000))
  await eventually(async () => {
    expect(await edge.metric('chiyuan_node_up', 'node="n1",region="610600"')).toBe(0)
  })
  await eventually(async () => {
    expect((await fetch(`${edge.url}/v1/codes/R1`)).status).toBe(503)
  })
  expect([donor.requests, donor.connections]).toEqual([0, 0])
})

it('is reached where the file lists it, or names its network', async () => {
  const ofFile = connectorWith({}, mayReachIn([]))
  const named = connectorWith({}, mayReachIn(['127.0.0.0/8']))
  for (const [connector, isEnrolled] of [
    [ofFile, false],
    [named, true],
  ] as const) {
    const socket = await connector.connect(nodeAt(inside.url, isEnrolled), { timeoutMs: 1000 })
    socket.destroy()
  }
})

describe('an address', () => {
  it.each([
    '169.254.169.254',
    '100.100.100.200',
    '::1',
    'fe80::1%eth0',
    'fd00:ec2::254',
    '::ffff:169.254.169.254',
    '64:ff9b::7f00:1',
    '224.0.0.1',
    '255.255.255.255',
  ])('%s takes no enrolled node', (address) => expect(mayReachIn([])(address)).toBe(false))

  it.each(['10.1.2.3', '192.168.1.1', '59.1.2.3', 'fd12::1', '2001:db8::1'])('%s may', (address) =>
    expect(mayReachIn([])(address)).toBe(true),
  )

  it('outside the named networks takes none', () => {
    const mayReach = mayReachIn(['10.20.0.0/16', 'fd12::/16'])
    expect(['10.20.1.1', '::ffff:10.20.1.1', 'fd12::1'].map(mayReach)).toEqual([true, true, true])
    expect(['10.21.1.1', '127.0.0.1', 'fd13::1'].map(mayReach)).toEqual([false, false, false])
  })
})

it('is not reached by the connections of residents either', async () => {
  await using pools = new Pools(
    testConfig([{ code: '610100', nodes: { n: inside.url } }], '/nowhere').attempts,
    connectorWith({}, mayReachIn([])),
  )
  const node = nodeAt(inside.url, true)
  const before = inside.connections
  const { promise, resolve } = Promise.withResolvers<unknown>()
  pools.dispatch(
    node,
    { path: '/', method: 'GET' },
    {
      onRequestStart: () => {},
      onResponseStart: () => {},
      onResponseData: () => {},
      onResponseEnd: () => {},
      onResponseError: (_, cause) => resolve(cause),
    },
  )
  expect(await promise).toMatchObject({ code: 'ADDRESS_NOT_ALLOWED' })
  expect(inside.connections).toBe(before)
})
