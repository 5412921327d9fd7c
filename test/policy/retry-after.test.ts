// When a node that refused wants to be asked again: whole seconds, or a date, or it said nothing.
import { expect, it } from '@jest/globals'
import fc from 'fast-check'
import { retryAfterMs } from '../../gateway/policy/retry-after.ts'

it.each<[string | string[] | undefined, number | null]>([
  ['0', 0],
  ['7', 7000],
  [' 7 ', 7000],
  ['007', 7000],
  [['3', '9'], 3000],
  ['3600', 3_600_000],
  ['99999999', 3_600_000],
  ['Sun, 06 Nov 1994 08:49:37 GMT', 1000],
  [undefined, null],
  [[], null],
  ['', null],
  [' ', null],
  ['-1', null],
  ['1.5', null],
  ['1e3', null],
  ['0x10', null],
  ['soon', null],
  ['Infinity', null],
  ['99999999999999999999', null],
  ['7, 9', null],
  ['Sun, 06 Nov 1994', null],
])('%j is %j ms', (header, ms) => {
  expect(retryAfterMs(header)).toBe(ms)
})

it('is never below zero, above an hour or no number, whatever a node sends', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.integer().map(String), fc.double().map(String)), (text) => {
      const ms = retryAfterMs(text)
      expect(ms === null || (ms >= 0 && ms <= 3_600_000 && Number.isInteger(ms))).toBe(true)
    }),
  )
})
