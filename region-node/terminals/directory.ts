// Which terminals a node believes. Bearer tokens now; certificates can stand behind the same port.
import type { TerminalTable } from '../store/terminals.ts'
import { readCredential, secretMatches } from './credential.ts'

/** What a request brings along to prove whose it is. A certificate's fingerprint would stand here too. */
export interface TerminalProof {
  /** What stood behind `Bearer`. */
  readonly bearer: string | undefined
}

export interface TerminalDirectory {
  /** @returns The terminal's id, or undefined: not to be believed. */
  identify(proof: TerminalProof): string | undefined
}

/** Asks the store each time, so that a terminal that was lost is shut out with its next request. */
export const storedTerminals = (terminals: TerminalTable): TerminalDirectory => ({
  identify: ({ bearer }) => {
    const credential = readCredential(bearer ?? '')
    if (!credential) return undefined
    const { terminalId, secret } = credential
    const terminal = terminals.find(terminalId)
    const genuine = secretMatches(secret, terminal?.secretHash)
    return genuine && terminal?.revokedAtMs === null ? terminalId : undefined
  },
})
