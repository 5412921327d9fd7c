// What may come in at all, before any operation looks at it: bounded in depth, plain text, no secret where it would be
// kept.
import { holdsSecret } from '../control/access/secret-text.ts'
import { Problem } from './problem.ts'

/** No operation takes more; what walks a value by recursion is safe with it. */
const levelsAtMost = 32

/** C0 and C1 without tab and line breaks, and what turns the direction of text: they forge what a terminal or page shows. */
// oxlint-disable-next-line no-control-regex
const forging = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/

/**
 * @param where Named to the client.
 * @throws {Problem} `malformed`
 */
export function mustBeReadable(value: unknown, where: 'body' | 'path' | 'query'): void {
  let level: unknown[] = [value]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levelsAtMost) {
      throw new Problem('malformed', `the ${where} is nested more than ${levelsAtMost} levels deep`)
    }
    const below: unknown[] = []
    for (const item of level) {
      if (typeof item === 'string') mustBePlain(item, where)
      else if (typeof item === 'object' && item !== null) {
        for (const [key, inner] of Object.entries(item)) {
          mustBePlain(key, where)
          below.push(inner)
        }
      }
    }
    level = below
  }
}

/** @throws {Problem} `malformed` */
function mustBePlain(text: string, where: string): void {
  if (!text.isWellFormed())
    throw new Problem('malformed', `the ${where} holds half a surrogate pair; send UTF-8`)
  if (forging.test(text)) {
    throw new Problem(
      'malformed',
      `the ${where} holds control characters; send text, with no more than line breaks`,
    )
  }
  if (holdsSecret(text)) {
    throw new Problem(
      'malformed',
      `an access token stands in the ${where}, where it would be kept; take it out, and revoke it`,
    )
  }
}
