// Documents become tokens: which numbers are taken, that one document has one token, and that none is told.
import { createSecretKey } from 'node:crypto'
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, expect, it } from '@jest/globals'
import * as fc from 'fast-check'
import { checkDigit, citizenNumberFault } from '../../region-node/tokens/citizen-number.ts'
import { DOCUMENT_TYPES, readDocument } from '../../region-node/tokens/document.ts'
import type { IdentityDocument } from '../../region-node/tokens/document.ts'
import { createPepperFile, readPeppers, rotatePeppers, tokensOf } from '../../region-node/tokens/peppers.ts'
import { SUBJECT_TOKEN, subjectToken } from '../../region-node/tokens/subject-token.ts'
import { syntheticCitizenNumber } from '../../region-node/tokens/synthetic-number.ts'
import { temporaryFolder } from './running-node.ts'

const NOW_MS = Date.UTC(2026, 0, 1)
const PEPPER = createSecretKey('a pepper for tests only', 'utf8')

// The two examples that the standard itself prints; no others of the living may stand in a test.
const EXAMPLES = ['11010519491231002X', '440524188001010014']
const [EXAMPLE = ''] = EXAMPLES

const withCheckDigit = (first17: string): string => first17 + checkDigit(first17)

// County 619999 does not exist: numbers drawn here are nobody's.
describe('a citizen number', () => {
  it('is right when all four parts are', () => {
    expect(citizenNumberFault(EXAMPLE, NOW_MS)).toBeUndefined()
    // Born in 1880: right in form, but nobody of that age lives.
    expect(citizenNumberFault(EXAMPLES[1] ?? '', NOW_MS)).toBe('birth-date')
    expect(citizenNumberFault(EXAMPLES[1] ?? '', Date.UTC(1999, 0, 1))).toBeUndefined()
  })

  it.each([
    { name: 'too short', number: EXAMPLE.slice(1), fault: 'form' },
    { name: 'too long', number: `${EXAMPLE}0`, fault: 'form' },
    { name: 'a small x', number: EXAMPLE.toLowerCase(), fault: 'form' },
    { name: 'X before the end', number: '1101051949123X002X', fault: 'form' },
    { name: 'SQL', number: "' OR 1=1 --       ", fault: 'form' },
    { name: 'a line break at the end', number: `${EXAMPLE}\n`, fault: 'form' },
    { name: 'empty', number: '', fault: 'form' },
    { name: 'a province that is none', number: withCheckDigit('99010519491231002'), fault: 'division' },
    { name: 'a province, not a county', number: withCheckDigit('11000019491231002'), fault: 'division' },
    { name: '31 June', number: withCheckDigit('11010519490631002'), fault: 'birth-date' },
    { name: '29 February of 1949', number: withCheckDigit('11010519490229002'), fault: 'birth-date' },
    { name: 'month 13', number: withCheckDigit('11010519491331002'), fault: 'birth-date' },
    { name: 'day 0', number: withCheckDigit('11010519491200002'), fault: 'birth-date' },
    { name: 'year 0', number: withCheckDigit('11010500001231002'), fault: 'birth-date' },
    { name: 'born tomorrow', number: withCheckDigit('11010520260103002'), fault: 'birth-date' },
    { name: 'a wrong check digit', number: '110105194912310021', fault: 'check-digit' },
  ])('is refused: $name', ({ number, fault }) => {
    expect(citizenNumberFault(number, NOW_MS)).toBe(fault)
  })

  it('of 29 February in a leap year is right, and so is one born today in China', () => {
    expect(citizenNumberFault(withCheckDigit('11010519480229002'), NOW_MS)).toBeUndefined()
    expect(citizenNumberFault(withCheckDigit('11010520260102002'), Date.UTC(2026, 0, 1, 17))).toBeUndefined()
  })

  // What a check digit is for: one digit misread, or two neighbours swapped.
  it('with one digit changed or two neighbours swapped is always found out', () => {
    const valid = fc
      .tuple(
        fc.integer({ min: 1950, max: 2020 }),
        fc.integer({ min: 1, max: 28 }),
        fc.integer({ min: 0, max: 999 }),
      )
      .map(([year, day, order]) =>
        withCheckDigit(`619999${year}07${String(day).padStart(2, '0')}${String(order).padStart(3, '0')}`),
      )
    fc.assert(
      fc.property(valid, fc.nat(16), fc.integer({ min: 1, max: 9 }), (number, at, by) => {
        expect(citizenNumberFault(number, NOW_MS)).toBeUndefined()
        const digits = Array.from(number)
        const swapped = [...digits.slice(0, at), digits[at + 1], digits[at], ...digits.slice(at + 2)].join('')
        digits[at] = String((Number(digits[at]) + by) % 10)
        expect(citizenNumberFault(digits.join(''), NOW_MS)).toBeDefined()
        if (swapped !== number) expect(citizenNumberFault(swapped, NOW_MS)).toBeDefined()
      }),
    )
  })

  it('that is synthetic looks right, is nobody’s, and no true validation takes it', () => {
    const numbers = Array.from({ length: 2_000 }, (_, nth) => syntheticCitizenNumber(nth * 13_139))
    expect(new Set(numbers).size).toBe(2_000)
    for (const number of numbers) {
      expect(number).toMatch(/^009999(19|20)\d{9}[\dX]$/)
      expect(checkDigit(number)).toBe(number[17])
      expect(citizenNumberFault(number, NOW_MS)).toBe('division')
      expect(citizenNumberFault(withCheckDigit(`619999${number.slice(6, 17)}`), NOW_MS)).toBeUndefined()
    }
  })
})

describe('a document', () => {
  it.each([
    { name: 'full-width digits', text: '１１０１０５１９４９１２３１００２Ｘ' },
    { name: 'a small x', text: '11010519491231002x' },
    { name: 'spaces and hyphens', text: ' 110105-19491231-002X ' },
  ])('is one document however it is written: $name', ({ text }) => {
    expect(readDocument('resident-id-card', text, NOW_MS)).toStrictEqual({
      ok: true,
      document: { type: 'resident-id-card', number: EXAMPLE },
    })
  })

  it.each([
    { type: 'passport', text: 'e12345678', number: 'E12345678' },
    { type: 'home-return-permit', text: 'H12345678', number: 'H12345678' },
    { type: 'taiwan-permit', text: '12345678', number: '12345678' },
    { type: 'permanent-residence', text: 'USA123456789012', number: 'USA123456789012' },
    { type: 'synthetic', text: 'R610100-000001', number: 'R610100-000001' },
  ] as const)('of type $type is taken', ({ type, text, number }) => {
    expect(readDocument(type, text, NOW_MS)).toStrictEqual({ ok: true, document: { type, number } })
  })

  it('is refused by a kind of fault that never repeats what was given, whatever that was', () => {
    const given = fc.oneof(fc.string({ maxLength: 200 }), fc.string({ unit: 'binary', maxLength: 80 }))
    fc.assert(
      fc.property(fc.constantFrom(...DOCUMENT_TYPES), given, (type, text) => {
        const reading = readDocument(type, text, NOW_MS)
        if (!reading.ok) expect(['form', 'division', 'birth-date', 'check-digit']).toContain(reading.fault)
        else expect(reading.document.number).toMatch(/^[A-Za-z0-9_-]{1,64}$/)
      }),
    )
  })

  it('as long as a book is refused at once', () => {
    expect(readDocument('passport', 'A'.repeat(10_000_000), NOW_MS)).toStrictEqual({
      ok: false,
      fault: 'form',
    })
  })
})

describe('a subject token', () => {
  const document = (number: string): IdentityDocument => ({ type: 'passport', number })

  // Changing it would make every stored record another person's.
  it('stays the same from release to release', () => {
    expect(subjectToken(PEPPER, { type: 'resident-id-card', number: EXAMPLE })).toBe('rR-PVIhI3udk3T20RHq7eg')
  })

  it('has one spelling, 22 characters of 128 bits', () => {
    fc.assert(
      fc.property(fc.string(), (number) => {
        const token = subjectToken(PEPPER, document(number))
        expect(token).toMatch(SUBJECT_TOKEN)
        expect(Buffer.from(token, 'base64url').toString('base64url')).toBe(token)
      }),
    )
  })

  it('differs by number, by type and by pepper', () => {
    const other = createSecretKey('another pepper for tests', 'utf8')
    const tokens = [
      subjectToken(PEPPER, document('E12345678')),
      subjectToken(PEPPER, document('E12345679')),
      subjectToken(PEPPER, { type: 'synthetic', number: 'E12345678' }),
      subjectToken(other, document('E12345678')),
    ]
    expect(new Set(tokens).size).toBe(4)
  })
})

describe('a pepper file', () => {
  const document: IdentityDocument = { type: 'passport', number: 'E12345678' }

  it('is made for its owner alone, and is not made twice', () => {
    using folder = temporaryFolder()
    const file = folder.file('pepper.json')
    createPepperFile(file)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readPeppers(file).map(({ epoch }) => epoch)).toStrictEqual([1])
    expect(() => createPepperFile(file)).toThrow(`pepper file ${file} can't be written: EEXIST`)
  })

  it('is rotated to a next epoch, under which nobody’s token is the old one, and the old one is still found', () => {
    using folder = temporaryFolder()
    const file = folder.file('pepper.json')
    createPepperFile(file)
    const [old] = tokensOf(readPeppers(file), document)
    rotatePeppers(file)
    const peppers = readPeppers(file)
    expect(peppers.map(({ epoch }) => epoch)).toStrictEqual([2, 1])
    const [now, before] = tokensOf(peppers, document)
    expect(before).toBe(old)
    expect(now).not.toBe(old)
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(readdirSync(dirname(file))).toStrictEqual(['pepper.json'])
  })

  it('that others can read is refused, with what to do', () => {
    using folder = temporaryFolder()
    const file = folder.file('pepper.json')
    createPepperFile(file)
    chmodSync(file, 0o640)
    expect(() => readPeppers(file)).toThrow(`can be read by others (mode 640); run: chmod 600 ${file}`)
  })

  it.each([
    { name: 'no JSON', content: 'SECRETSECRET', says: 'it is not JSON' },
    { name: 'no peppers', content: '{"peppers":[]}', says: 'peppers: Too small' },
    {
      name: 'a key too short',
      content: '{"peppers":[{"epoch":1,"key":"SECRETSECRET"}]}',
      says: 'peppers.0.key: must be 32 bytes in base64url',
    },
    {
      name: 'a field too many',
      content: '{"peppers":[],"SECRET":1}',
      says: 'has a field that is none of its own',
    },
  ])('that holds $name is refused without telling what is in it', ({ content, says }) => {
    using folder = temporaryFolder()
    const file = folder.file('pepper.json')
    writeFileSync(file, content, { mode: 0o600 })
    let said = ''
    try {
      readPeppers(file)
    } catch (error) {
      said = String(error)
    }
    expect(said).toContain(says)
    expect(said).not.toContain('SECRET')
  })

  it('that is missing is named', () => {
    expect(() => readPeppers('/nowhere/pepper.json')).toThrow(
      "pepper file /nowhere/pepper.json can't be used: ENOENT",
    )
  })

  it('keeps its keys out of what is printed of it', () => {
    using folder = temporaryFolder()
    const file = folder.file('pepper.json')
    createPepperFile(file)
    const secret = /"key": "([^"]+)"/.exec(readFileSync(file, 'utf8'))?.[1] ?? ''
    expect(secret).toHaveLength(43)
    expect(JSON.stringify(readPeppers(file))).not.toContain(secret)
  })
})
