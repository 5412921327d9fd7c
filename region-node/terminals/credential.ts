// What a terminal proves itself by: its id and a secret, of which the node keeps only a hash.
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

export interface TerminalCredential {
  readonly terminalId: string
  readonly secret: string
}

const FORM = /^([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_-]{43})$/

/** `<terminalId>.<secret>`, to be typed into the terminal once and kept nowhere else. */
export const newCredential = (terminalId: string): string =>
  `${terminalId}.${randomBytes(32).toString('base64url')}`

/** @returns Undefined when the text is no credential at all. */
export function readCredential(text: string): TerminalCredential | undefined {
  const [, terminalId, secret] = FORM.exec(text) ?? []
  return terminalId === undefined || secret === undefined ? undefined : { terminalId, secret }
}

// One round of SHA-256 is enough: a secret of 256 random bits can't be guessed, so nothing need be slow.
export const hashSecret = (secret: string): Buffer => createHash('sha256').update(secret).digest()

/** As long for a right secret as for a wrong one, and as long when there is nothing to compare with. */
export function secretMatches(secret: string, hash: Uint8Array | undefined): boolean {
  const same = timingSafeEqual(hashSecret(secret), hash ?? NO_HASH)
  return hash !== undefined && same
}

const NO_HASH = randomBytes(32)
