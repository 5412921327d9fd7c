import { createSecretKey } from 'node:crypto'
import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { sealPrinted, openPrinted } from '../../region-node/printed-seal.ts'

const KEY = createSecretKey('a key for tests only', 'utf8')
const OTHER_KEY = createSecretKey('somebody else has this', 'utf8')
const CODE = sealPrinted('token-of-a-resident', 1_000, KEY)

describe('the seal of a printed code', () => {
  it('gives back the token until its time is over', () => {
    expect(openPrinted(CODE, 999, KEY)).toStrictEqual({ ok: true, name: 'token-of-a-resident' })
    expect(openPrinted(CODE, 1_000, KEY)).toStrictEqual({ ok: false, reason: 'expired' })
  })

  it('is forged when sealed with another key', () => {
    expect(openPrinted(CODE, 0, OTHER_KEY)).toStrictEqual({ ok: false, reason: 'forged' })
  })

  // The attack: show yesterday's code with a later expiry, or a neighbour's token under one's own seal.
  it('is forged when any one character differs', () => {
    const alphabet = Array.from('abcXYZ019_-.')
    fc.assert(
      fc.property(fc.nat(CODE.length - 1), fc.constantFrom(...alphabet), (at, letter) => {
        fc.pre(CODE[at] !== letter)
        const altered = CODE.slice(0, at) + letter + CODE.slice(at + 1)
        expect(openPrinted(altered, 0, KEY)).toStrictEqual({ ok: false, reason: 'forged' })
      }),
    )
  })

  it('is forged when it is anything else', () => {
    fc.assert(
      fc.property(fc.string(), (nonsense) => {
        expect(openPrinted(nonsense, 0, KEY)).toStrictEqual({ ok: false, reason: 'forged' })
      }),
    )
    expect(openPrinted(`${CODE}.more`, 0, KEY)).toStrictEqual({ ok: false, reason: 'forged' })
  })
})
