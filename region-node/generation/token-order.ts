// Puts resident numbers into the order of their tokens, eight bytes of memory each.
import { endianness } from 'node:os'

/**
 * Rows written in the order of their key touch each page of the tree once. Tokens are random: in the order
 * of their numbers residents took 2.4 times as long at four million, and longer the more there were.
 */
export class TokenOrder {
  readonly #pairs: BigUint64Array
  readonly #words: Uint32Array
  // Sorted as one 64-bit number each: the token's first four bytes, then the resident's number.
  static readonly #high = endianness() === 'LE' ? 1 : 0
  #added = 0

  /** @param count Residents to come, at least 1. */
  constructor(count: number) {
    this.#pairs = new BigUint64Array(count)
    this.#words = new Uint32Array(this.#pairs.buffer)
  }

  /** @param token Its first four bytes decide; a tie costs nothing. */
  add(number: number, token: Buffer): void {
    const at = 2 * this.#added++
    this.#words[at + TokenOrder.#high] = token.readUInt32BE(0)
    this.#words[at + 1 - TokenOrder.#high] = number
  }

  sort(): void {
    this.#pairs.sort()
  }

  /** @param place From 0. @returns The number of the resident who stands there. */
  at(place: number): number {
    const number = this.#words[2 * place + 1 - TokenOrder.#high]
    if (number === undefined) throw new RangeError(`place ${place} is beyond the ${this.#added} residents`)
    return number
  }
}
