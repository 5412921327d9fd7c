// Reads what may be a document number: into the id that a node gets in its place, or as a number where none may be.
import { readDocument, type DocumentType } from '../../../region-node/tokens/document.ts'
import { type Pepper, tokensOf } from '../../../region-node/tokens/peppers.ts'
import { tokenId } from '../../../region-node/tokens/token-id.ts'

export interface Numbers {
  /**
   * @param text Decoded, as the resident wrote it.
   * @returns The id for the node; `null` where `text` is no valid number of that type, and must not be passed on.
   */
  idFor(type: DocumentType, text: string): string | null
  /** Whether `text` holds a citizen number, however it is encoded. Always false where the guard is off. */
  shows(text: string): boolean
}

/** @property drill Numbers that are nobody's are taken, and ids of synthetic residents pass. */
export interface NumberRules {
  readonly guard: boolean
  readonly drill: boolean
}

const syntheticId = /^R\d{6}-\d{6,9}$/

/** @param wallNow Unix ms. */
export function numbersUnder(
  peppers: readonly Pepper[],
  { guard, drill }: NumberRules,
  wallNow: () => number,
): Numbers {
  return {
    idFor(type, text) {
      const reading = readDocument(type, text, wallNow(), drill)
      if (reading.ok) return tokenId(tokensOf(peppers, reading.document))
      return drill && syntheticId.test(text) ? text : null
    },
    shows: guard ? (text) => mayShow.test(text) && showsNumber(text, drill, wallNow()) : () => false,
  }
}

/** Cheap, and true of whatever could decode to eighteen digits. */
const mayShow = /\d{17}|%|[^\0-\x7f]/

// By itself: eighteen digits inside a longer run are part of something else.
const bare = /(?<!\d)\d{17}[\dXx](?!\d)/g

/** An encoder that is applied twice, by a form and by the program behind it. */
const mostDecodings = 3

function showsNumber(text: string, drill: boolean, nowMs: number): boolean {
  let form = text
  for (let decodings = 0; ; decodings += 1) {
    for (const [found] of form.normalize('NFKC').matchAll(bare)) {
      if (readDocument('resident-id-card', found, nowMs, drill).ok) return true
    }
    const decoded = decodeLoosely(form)
    if (decoded === form || decodings === mostDecodings) return false
    form = decoded
  }
}

/**
 * What an address or a header says, as a lenient server reads it: percent-encoded or as it is, in UTF-8. What is
 * malformed stays. Never throws.
 *
 * @param text As Node gives it, a character for each byte.
 */
export const decodeLoosely = (text: string): string =>
  encoded.test(text) ? text.replaceAll(runs, (run) => bytesOf(run).toString('utf8')) : text

const encoded = /%|[\x80-\xff]/
const runs = /(?:%[\da-f]{2}|[\x80-\xff])+/gi

const bytesOf = (run: string): Buffer =>
  Buffer.from(
    run.replaceAll(/%(..)/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16))),
    'latin1',
  )
