// How often somebody may be wrong, for how long they wait, and what is remembered of whom.
import { expect, it } from '@jest/globals'
import { LoginAttempts, networkOf } from '../../gateway/policy/login-attempts.ts'

const bounds = { burst: 3, forgiveMs: 1000, sources: 3 }

it('a burst is answered, then one by one as they are forgiven', () => {
  const attempts = new LoginAttempts(bounds)
  for (let i = 0; i < 3; i++) {
    expect(attempts.waitMs('a', 0)).toBe(0)
    attempts.wrong('a', 0)
  }
  expect(attempts.waitMs('a', 0)).toBe(1000)
  expect(attempts.waitMs('b', 0)).toBe(0)
  expect(attempts.waitMs('a', 400)).toBe(600)
  expect(attempts.waitMs('a', 1000)).toBe(0)
  attempts.wrong('a', 1000)
  expect(attempts.waitMs('a', 1000)).toBe(1000)
})

it('a flood does not make the wait longer', () => {
  const attempts = new LoginAttempts(bounds)
  for (let i = 0; i < 10_000; i++) attempts.wrong('a', 0)
  expect(attempts.waitMs('a', 0)).toBe(1000)
  expect(attempts.waitMs('a', 1000)).toBe(0)
})

it('no more sources are remembered than it says; those that were quiet longest go first', () => {
  const attempts = new LoginAttempts(bounds)
  for (let i = 0; i < 3; i++) attempts.wrong('a', 0)
  attempts.wrong('b', 0)
  attempts.wrong('a', 0)
  attempts.wrong('c', 0)
  attempts.wrong('d', 0)
  expect(attempts.waitMs('a', 0)).toBeGreaterThan(0)
  attempts.wrong('e', 0)
  attempts.wrong('f', 0)
  expect(attempts.waitMs('a', 0)).toBe(0)
})

it.each([
  ['10.0.0.7', '10.0.0.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8:1:2::9', '2001:db8:1:2::/64'],
  ['2001:db8::9', '2001:db8:0:0::/64'],
  ['::1', '0:0:0:0::/64'],
  ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ['unknown', 'unknown'],
])('%s is counted as %s', (address, network) => {
  expect(networkOf(address)).toBe(network)
})
