// What is read of an instance in Consul's catalogue, as Consul itself writes it.
import { expect, it } from '@jest/globals'
import { catalogueEntries } from '../../gateway/control/registry/consul/catalogue.ts'

const entry = (service: object = {}, checks: readonly object[] = []) => ({
  Node: { Node: 'm1', Address: '10.0.0.1' },
  Service: { ID: 'a', Address: '', Port: 9101, Meta: { region: '610100' }, Tags: ['x'], ...service },
  Checks: checks,
})
const own = { CheckID: 'ready', ServiceID: 'a' }
const machines = { CheckID: 'serfHealth', ServiceID: '' }

it('the service’s own address comes before its machine’s', () => {
  const read = catalogueEntries.parse([entry(), entry({ Address: '10.9.9.9' })])
  expect(read.map(({ address }) => address)).toEqual(['10.0.0.1', '10.9.9.9'])
})

it.each([
  ['passing', [{ ...own, Status: 'passing' }]],
  ['passing', [{ ...own, Status: 'warning' }]],
  ['critical', [{ ...own, Status: 'critical' }]],
  // An agent that died says nothing of the node beside it.
  [
    'passing',
    [
      { ...machines, Status: 'critical' },
      { ...own, Status: 'passing' },
    ],
  ],
  ['maintenance', [{ CheckID: '_node_maintenance', ServiceID: '', Status: 'critical' }]],
  ['maintenance', [{ CheckID: '_service_maintenance:a', ServiceID: 'a', Status: 'critical' }]],
])('is %s by %j', (health, checks) => {
  expect(catalogueEntries.parse([entry({}, checks)])[0]?.health).toBe(health)
})

it('one that nobody understands hides no other', () => {
  const read = catalogueEntries.parse([entry({ ID: 'odd', Port: 'http' }), 7, entry()])
  expect(read.map(({ serviceId, isUnreadable }) => [serviceId, isUnreadable])).toEqual([
    ['odd', true],
    ['#1', true],
    ['a', false],
  ])
})
