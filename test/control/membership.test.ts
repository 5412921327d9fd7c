// What gateways know of each other by Consul's catalogue, also while it tells nothing or nonsense; and what is entered there.
import { createServer } from 'node:http'
import { json } from 'node:stream/consumers'
import { describe, expect, it } from '@jest/globals'
import { z } from 'zod'
import { catalogueSchema, gatewaysOf } from '../../gateway/control/membership/catalogue-answer.ts'
import { Membership } from '../../gateway/control/membership/membership.ts'
import { entryOf } from '../../region-node/catalogue.ts'
import { ConsulAgent } from '../../region-node/registration/agent.ts'
import { isAsSaid } from '../../region-node/registration/entry.ts'
import { pauseMs, pausesOf } from '../../region-node/registration/rounds.ts'
import { eventually } from '../support/eventually.ts'
import { listening } from '../support/operators-command.ts'

const meta = { gateway: 'chiyuan', adminPort: '8101', version: '1.2.3', prefix: 'chiyuan/', since: 'then' }
const instance = (changes: object, ...checks: object[]) => ({
  Node: { Node: 'machine-1' },
  Service: { ID: 'g1', Address: '192.0.2.1', Port: 8100, Meta: meta, ...changes },
  Checks: checks,
})
const read = (...instances: object[]) =>
  gatewaysOf(catalogueSchema.parse(instances), 'chiyuan/', { id: 'g1', since: 'then' })

describe('gateways of the catalogue', () => {
  it('are those of the federation', () => {
    const others = [
      { Meta: null },
      { Meta: { ...meta, prefix: 'other/' } },
      { Meta: { ...meta, adminPort: 'x' } },
    ]
    expect(read(instance({}), ...others.map((one) => instance(one)))).toEqual([
      {
        id: 'g1',
        gateway: 'chiyuan',
        machine: 'machine-1',
        address: '192.0.2.1:8100',
        adminPort: 8101,
        since: 'then',
        version: '1.2.3',
        health: 'passing',
        detail: '',
        own: true,
      },
    ])
  })

  it.each([
    { name: 'of another start', changes: { Meta: { ...meta, since: 'before' } }, own: false },
    { name: 'of another id', changes: { ID: 'g2' }, own: false },
    {
      name: 'at an IPv6 address',
      changes: { Address: '2001:db8::1' },
      own: true,
      address: '[2001:db8::1]:8100',
    },
    { name: 'without an address', changes: { Address: '' }, own: true, address: 'machine-1:8100' },
  ])('$name', ({ changes, own, address = '192.0.2.1:8100' }) => {
    expect(read(instance(changes))).toMatchObject([{ own, address }])
  })

  it.each([
    { statuses: ['passing', 'passing'], health: 'passing', detail: '' },
    { statuses: ['passing', 'warning'], health: 'warning', detail: 'says warning' },
    { statuses: ['warning', 'critical', 'passing'], health: 'critical', detail: 'says critical' },
    { statuses: ['maintenance'], health: 'critical', detail: 'says maintenance' },
    { statuses: ['unheard-of'], health: 'critical', detail: 'says unheard-of' },
  ])('are as ill as the worst of $statuses', ({ statuses, health, detail }) => {
    const checks = statuses.map((Status) => ({ Status, Output: `says\n${Status} ` }))
    expect(read(instance({}, ...checks))).toMatchObject([{ health, detail }])
  })
})

describe('a node’s entry', () => {
  const node = { host: '::1', nodeName: 'xian-1', regionCode: '610100', limit: 64 }
  const entry = entryOf(node, { weight: 2.5 }, 9101)

  it('is at the listener’s address, or where gateways are told to go', () => {
    expect([entry.address, entry.check]).toMatchObject(['::1', { url: 'http://[::1]:9101/readyz' }])
    const told = entryOf(node, { weight: 1, advertise: 'xian.example' }, 9101)
    expect([told.address, told.check]).toMatchObject([
      'xian.example',
      { url: 'http://xian.example:9101/readyz' },
    ])
  })

  const asSaid = {
    Service: { Address: entry.address, Port: entry.port, Meta: { ...entry.meta } },
    Checks: [{ CheckID: `${entry.id}-ready` }],
  }
  it.each([
    { name: 'as it was entered', seen: asSaid, same: true },
    { name: 'without its check', seen: { ...asSaid, Checks: [] }, same: false },
    { name: 'at another port', seen: { ...asSaid, Service: { ...asSaid.Service, Port: 1 } }, same: false },
    {
      name: 'with another limit',
      seen: { ...asSaid, Service: { ...asSaid.Service, Meta: { ...entry.meta, limit: '1' } } },
      same: false,
    },
    {
      name: 'with less',
      seen: { ...asSaid, Service: { ...asSaid.Service, Meta: { region: '610100' } } },
      same: false,
    },
  ])('is known again: $name', ({ seen, same }) => {
    expect(isAsSaid(entry, seen)).toBe(same)
  })
})

it.each([
  { failures: 0, from: 2250, to: 3750 },
  { failures: 1, from: 250, to: 500 },
  { failures: 2, from: 500, to: 1000 },
  { failures: 50, from: 2500, to: 5000 },
])('after $failures failures Consul is asked again in $from to $to ms', ({ failures, from, to }) => {
  expect([pauseMs(failures, pausesOf(3000), 0), pauseMs(failures, pausesOf(3000), 1)]).toEqual([from, to])
})

describe('a gateway that sees others', () => {
  const entered = z.object({ ID: z.string(), Port: z.int(), Meta: z.record(z.string(), z.string()) })

  it.each([
    { name: 'nothing', status: 200, body: '[]', says: 'Consul shows no chiyuan-gateway of chiyuan/' },
    { name: 'nonsense', status: 200, body: '<html>', says: 'answered 200 when asked to show the gateways' },
    { name: 'an error', status: 500, body: 'No path to datacenter', says: 'No path to datacenter' },
    { name: 'that it may not', status: 403, body: 'ACL not found', says: 'refuses the token' },
  ])(
    'keeps its last view while Consul tells it $name, and says since when',
    async ({ status, body, says }) => {
      let own: z.output<typeof entered> | null = null
      let ill: { status: number; body: string } | null = null
      const server = createServer((request, response) => {
        if (request.url?.startsWith('/v1/agent/service/register') === true) {
          void json(request).then((said) => {
            own = entered.parse(said)
            response.end()
          })
        } else if (request.url?.startsWith('/v1/health/service/') !== true) {
          response.writeHead(request.method === 'GET' ? 404 : 200).end('{}')
        } else if (ill !== null) response.writeHead(ill.status).end(ill.body)
        else {
          const itself = own === null ? [] : [instance(own)]
          response.end(JSON.stringify([instance({ ID: 'other', Meta: { ...meta, since: 'x' } }), ...itself]))
        }
      })
      await using agentServer = await listening(server)
      let now = 1000
      const files = { tokenFile: null, token: null, caFile: null, certFile: null, keyFile: null }
      await using membership = new Membership({
        agent: new ConsulAgent({ address: agentServer.url, ...files, timeoutMs: 1000 }),
        gatewayId: 'chiyuan',
        prefix: 'chiyuan/',
        host: '192.0.2.1',
        wallNow: () => now,
        told: { lost: () => {}, back: () => {}, left: () => {} },
        pauses: { everyMs: 20, firstMs: 20, mostMs: 50 },
      })
      expect(membership.peers).toEqual({ gateways: [], stale: null })
      membership.join({ publicPort: 8100, adminPort: 8101, notReady: () => 'draining' })
      expect(membership.peers.gateways).toMatchObject([{ own: true, health: 'critical', detail: 'draining' }])
      const both = [
        { own: true, machine: 'machine-1', address: '192.0.2.1:8100' },
        { own: false, id: 'other' },
      ]
      const seen = () => membership.peers.gateways.toSorted((a, b) => Number(b.own) - Number(a.own))
      await eventually(() => expect(seen()).toMatchObject(both))
      await eventually(() => expect(membership.peers.stale).toBeNull())
      ill = { status, body }
      now = 9000
      await eventually(() =>
        expect(membership.peers.stale).toEqual({
          since: expect.any(Number),
          detail: expect.stringContaining(says),
        }),
      )
      expect(seen()).toMatchObject(both)
      expect(membership.warnings).toEqual([expect.stringContaining(says)])
      ill = null
      await eventually(() => expect([membership.peers.stale, membership.warnings]).toEqual([null, []]))
    },
  )
})
