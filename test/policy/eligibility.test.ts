// Every reason for which a node is not tried, and their order.
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { type RegionId, regionId } from '../../gateway/model/ids.ts'
import { type Condition, judge } from '../../gateway/policy/eligibility.ts'
import { aCondition } from '../support/values.ts'

const half = 0.5
const home = regionId('610100')

it.each<{ name: string; condition: Partial<Condition>; verdict: string }>([
  { name: 'a healthy node is tried', condition: {}, verdict: 'ok' },
  { name: 'a node not probed yet is tried', condition: { health: 'unknown' }, verdict: 'ok' },
  { name: 'a tripped node is held', condition: { hold: 'trip' }, verdict: 'held' },
  { name: 'a draining node gets nothing new', condition: { hold: 'drain' }, verdict: 'draining' },
  {
    name: 'a node that says it can not answer for the home gets none of its requests',
    condition: { notReadyFor: new Set([home]) },
    verdict: 'not-ready-for-home',
  },
  {
    name: 'an operator’s bypass does not make it able to',
    condition: { notReadyFor: new Set([home]), hold: 'bypass' },
    verdict: 'not-ready-for-home',
  },
  {
    name: 'it is no matter of room',
    condition: { notReadyFor: new Set([home]), inFlight: 1, limit: 1 },
    verdict: 'not-ready-for-home',
  },
  {
    name: 'what it can not do for one home it can for others',
    condition: { notReadyFor: new Set([regionId('610400')]) },
    verdict: 'ok',
  },
  { name: 'probes are believed', condition: { health: 'down' }, verdict: 'unhealthy' },
  {
    name: 'an open breaker is believed over good probes',
    condition: { breaker: 'open' },
    verdict: 'breaker-open',
  },
  {
    name: 'an open breaker is named before bad probes',
    condition: { breaker: 'open', health: 'down' },
    verdict: 'breaker-open',
  },
  { name: 'half open lets one trial through', condition: { breaker: 'half-open' }, verdict: 'ok' },
  {
    name: 'half open lets no second one through',
    condition: { breaker: 'half-open', trialUnderWay: true },
    verdict: 'breaker-open',
  },
  { name: 'a full node is passed over', condition: { inFlight: 10, limit: 10 }, verdict: 'full' },
  { name: 'two overdue attempts are chance', condition: { silentOverdue: 2 }, verdict: 'ok' },
  { name: 'three in silence are a stall', condition: { silentOverdue: 3 }, verdict: 'stalled' },
  { name: 'a ramp takes the low draws', condition: { ramp: 0.6 }, verdict: 'ok' },
  { name: 'a ramp leaves the high draws', condition: { ramp: 0.4 }, verdict: 'ramping' },
  {
    name: 'bypass ignores what is measured',
    condition: { hold: 'bypass', health: 'down', breaker: 'open' },
    verdict: 'ok',
  },
  {
    name: 'bypass does not lift the limit',
    condition: { hold: 'bypass', inFlight: 1, limit: 1 },
    verdict: 'full',
  },
])('$name', ({ condition, verdict }) => {
  expect(judge(aCondition(condition), home, half, true, false)).toBe(verdict)
})

it('a request that can not be repeated is a half-open trial only where no other has come for long', () => {
  const halfOpen = { breaker: 'half-open' as const }
  expect(judge(aCondition(halfOpen), home, half, false, false)).toBe('on-trial')
  expect(judge(aCondition({ ...halfOpen, trialOverdue: true }), home, half, false, false)).toBe('ok')
  const underWay = { ...halfOpen, trialOverdue: true, trialUnderWay: true }
  expect(judge(aCondition(underWay), home, half, false, false)).toBe('breaker-open')
})

it('a held node is never ok, whatever is measured', () => {
  const condition = fc.record({
    hold: fc.constantFrom('trip' as const, 'drain' as const),
    health: fc.constantFrom('up' as const, 'down' as const, 'unknown' as const),
    breaker: fc.constantFrom('closed' as const, 'open' as const, 'half-open' as const),
    notReadyFor: fc.constantFrom(new Set<RegionId>(), new Set([home])),
    trialUnderWay: fc.boolean(),
    trialOverdue: fc.boolean(),
    silentOverdue: fc.nat(10),
    inFlight: fc.nat(100),
    limit: fc.nat(100),
    pausing: fc.boolean(),
    homeReserve: fc.double({ min: 0, max: 1, noNaN: true }),
    quotaSpent: fc.boolean(),
    ramp: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  fc.assert(
    fc.property(
      condition,
      fc.boolean(),
      (held, canRetry) => judge(held, home, half, canRetry, false) !== 'ok',
    ),
  )
})
