// How a gateway names a resident to a node in place of a document number: `t.TOKEN`, one token an epoch.
import { SUBJECT_TOKEN } from './subject-token.ts'

/** Epochs that may be named at once: a rotation needs two, and one may be late. */
export const MOST_EPOCHS = 4

// The dot stands in no synthetic id, and needs no encoding in a path (RFC 3986 section 2.3).
const PREFIX = 't.'

/** @param tokens Newest epoch's first, 1 to {@link MOST_EPOCHS}, as `tokensOf` gives them. */
export const tokenId = (tokens: readonly string[]): string => PREFIX + tokens.join('.')

/** @returns The tokens under which the resident may stand, newest epoch's first; undefined where `text` is no token id. */
export function tokensOfId(text: string): readonly string[] | undefined {
  if (!text.startsWith(PREFIX)) return undefined
  const tokens = text.slice(PREFIX.length).split('.')
  return tokens.length <= MOST_EPOCHS && tokens.every((token) => SUBJECT_TOKEN.test(token))
    ? tokens
    : undefined
}
