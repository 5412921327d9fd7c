// ID cards for tests: numbers that pass every validation and are nobody's, and a pepper file that ends with its test.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkDigit } from '../../region-node/tokens/citizen-number.ts'
import { createPepperFile, readPeppers, tokensOf } from '../../region-node/tokens/peppers.ts'
import { tokenId } from '../../region-node/tokens/token-id.ts'

/** @param first17 Its seventeen digits. County 619999 does not exist, so a number that begins so is nobody's. */
export const withCheckDigit = (first17: string): string => first17 + checkDigit(first17)

/** Passes every validation. */
export const card = withCheckDigit('61999919880214233')
/** Ends in X. */
export const cardWithX = firstWithX()
/** One digit misread. */
export const misreadCard = `${card.slice(0, 17)}${(Number(card.at(-1)) + 1) % 10}`

function firstWithX(): string {
  for (let order = 100; order < 1000; order += 1) {
    const number = withCheckDigit(`61999919880214${order}`)
    if (number.endsWith('X')) return number
  }
  throw new Error('no number ends in X')
}

export interface TestPeppers extends Disposable {
  readonly file: string
  /** The id that a gateway makes of a number by what is in the file now. */
  idOf(number: string): string
}

export function testPeppers(): TestPeppers {
  const folder = mkdtempSync(join(tmpdir(), 'chiyuan-pepper-'))
  const file = join(folder, 'pepper.json')
  createPepperFile(file)
  return {
    file,
    idOf: (number) => tokenId(tokensOf(readPeppers(file), { type: 'resident-id-card', number })),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  }
}
