// Document numbers in a JSON text give way to ids that name a token; all else stays as it is, to the byte.
import type { DocumentType } from '../../../region-node/tokens/document.ts'
import type { Refusal } from '../../model/events.ts'
import type { Numbers } from './numbers.ts'

export type HiddenJson =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly refusal: Refusal }

/** An object or a list that is open. */
interface Frame {
  readonly isObject: boolean
  /** Of the numbers in it, where it stands under a field that holds such. */
  readonly type: DocumentType | undefined
  /** Of the value that comes next. */
  valueType: DocumentType | undefined
  /** The next string is a name. */
  atName: boolean
}

// Enough for a text that is known to be JSON. Loops are spelt out, since alternatives would fill the stack of a long text.
const lexemes = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d[\d.eE+-]*|[{}[\],]/g

// Each costs an HMAC or more, and nobody else is served meanwhile.
const mostNumbers = 256

/**
 * Every occurrence is read, also where a name stands twice: parsers differ in which of them they believe.
 *
 * @param fields Type of the numbers by the name of their field, at any depth.
 */
export function hideInJson(
  text: string,
  fields: ReadonlyMap<string, DocumentType>,
  numbers: Numbers,
): HiddenJson {
  if (!isJson(text)) return { ok: false, refusal: 'body-json' }
  const frames: Frame[] = []
  let hidden = ''
  let copied = 0
  let count = 0
  for (const { 0: lexeme, index } of text.matchAll(lexemes)) {
    const frame = frames.at(-1)
    if (isMark(lexeme)) {
      follow(frames, lexeme)
      continue
    }
    const said = lexeme.startsWith('"') ? stringOf(lexeme) : lexeme
    if (frame?.atName) {
      frame.atName = false
      frame.valueType = frame.type ?? fields.get(folded(said))
    } else if (frame?.valueType !== undefined) {
      // A number that is no string would have lost its X, and with some parsers its last digits.
      const id = said === lexeme ? null : numbers.idFor(frame.valueType, said)
      if (id === null) return { ok: false, refusal: 'document-number' }
      count += 1
      if (count > mostNumbers) return { ok: false, refusal: 'body-too-large' }
      hidden += text.slice(copied, index) + JSON.stringify(id)
      copied = index + lexeme.length
      continue
    }
    if (numbers.shows(said)) return { ok: false, refusal: 'document-misplaced' }
  }
  return { ok: true, text: hidden + text.slice(copied) }
}

const isMark = (lexeme: string): boolean => lexeme.length === 1 && '{}[],'.includes(lexeme)

/** Opens and closes objects and lists, and knows where a name comes next. */
function follow(frames: Frame[], mark: string): void {
  const frame = frames.at(-1)
  if (mark === '}' || mark === ']') frames.pop()
  else if (mark === ',') {
    if (frame?.isObject) frame.atName = true
  } else {
    const isObject = mark === '{'
    const type = frame?.valueType
    frames.push({ isObject, type, valueType: type, atName: isObject })
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    // Its message would quote the text.
    return false
  }
}

/** A name as the most lenient parsers compare it: whatever the case, and a long s is an s. */
export const folded = (name: string): string => name.normalize('NFKC').toLowerCase()

/** @param lexeme A string of a text that is known to be JSON. */
const stringOf = (lexeme: string): string => String(JSON.parse(lexeme))
