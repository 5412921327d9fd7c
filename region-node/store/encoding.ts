// How nouns become SQLite values and back: small integers for words, 16 bytes for tokens and UUIDs.
import type { CodeStatus, TestResult } from '../resident.ts'
import { uuidText } from '../uuid.ts'

/** What a column gives or takes. */
export type Cell = number | string | Uint8Array | null

// A word's number is its place in the list. 0 and 1 take no byte of a row at all, so the common come first.
// Released numbers are never given another meaning.
const STATUSES: readonly CodeStatus[] = ['green', 'yellow', 'red']
const RESULTS: readonly TestResult[] = ['negative', 'pending', 'positive']

export const statusCell = (status: CodeStatus): number => STATUSES.indexOf(status)
export const resultCell = (result: TestResult | null): number | null =>
  result === null ? null : RESULTS.indexOf(result)
/** A token's or a UUID's bytes. */
export const tokenCell = (token: string): Buffer => Buffer.from(token, 'base64url')
export const uuidCell = (uuid: string): Buffer => Buffer.from(uuid.replaceAll('-', ''), 'hex')
export const regionCell = (code: string): number => Number(code)

/** The file holds something that this release never wrote: say where, and what would be right. */
export class CorruptRow extends Error {
  override readonly name = 'CorruptRow'
  constructor(column: string, expected: string) {
    super(`${column} in the store must be ${expected}`)
  }
}

/** One row read as an array. A `typeof` a column costs nanoseconds, parsing the row by zod a microsecond. */
export class Row {
  readonly #cells: readonly unknown[]

  constructor(cells: readonly unknown[]) {
    this.#cells = cells
  }

  number(at: number, column: string): number {
    const cell = this.#cells[at]
    if (typeof cell !== 'number') throw new CorruptRow(column, 'a number')
    return cell
  }

  numberOrNull(at: number, column: string): number | null {
    return this.#cells[at] === null ? null : this.number(at, column)
  }

  textOrNull(at: number, column: string): string | null {
    const cell = this.#cells[at]
    if (cell !== null && typeof cell !== 'string') throw new CorruptRow(column, 'a text or nothing')
    return cell
  }

  text(at: number, column: string): string {
    const cell = this.textOrNull(at, column)
    if (cell === null) throw new CorruptRow(column, 'a text')
    return cell
  }

  status(at: number): CodeStatus {
    const status = STATUSES[this.number(at, 'status')]
    if (status === undefined) throw new CorruptRow('status', '0 to 2')
    return status
  }

  statusOrNull(at: number): CodeStatus | null {
    return this.#cells[at] === null ? null : this.status(at)
  }

  result(at: number): TestResult {
    const result = RESULTS[this.number(at, 'result')]
    if (result === undefined) throw new CorruptRow('result', '0 to 2')
    return result
  }

  resultOrNull(at: number): TestResult | null {
    return this.#cells[at] === null ? null : this.result(at)
  }

  region(at: number): string {
    return String(this.number(at, 'region')).padStart(6, '0')
  }

  token(at: number): string {
    return this.bytes(at, 'token', 16).toString('base64url')
  }

  uuid(at: number, column: string): string {
    return uuidText(this.bytes(at, column, 16))
  }

  bytes(at: number, column: string, length: number): Buffer {
    const cell = this.#cells[at]
    if (!(cell instanceof Uint8Array) || cell.length !== length)
      throw new CorruptRow(column, `${length} bytes`)
    return Buffer.from(cell.buffer, cell.byteOffset, cell.length)
  }
}
