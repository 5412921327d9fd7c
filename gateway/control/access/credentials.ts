// What every kind of access token must tell of itself, and how one of several kinds is chosen.
import type { Operator } from '../../model/operator.ts'

export type Admission =
  | { readonly operator: Operator }
  /** `unknown` to whoever has not shown that they hold the secret; the rest is told to its holder only. */
  | { readonly refused: 'unknown' | 'expired' | 'revoked' }
  /** Its signature stands, but it is not for this: told to its holder. */
  | { readonly unfit: string }
  /** A good token of somebody who may do nothing here, and what it lacks. */
  | { readonly forbidden: string }
  /** It can't be judged now. */
  | { readonly unavailable: string }

export interface Credentials {
  admit(token: string): Promise<Admission>
  /**
   * Under which name wrong attempts from one address are counted: a token that is known by its public part has a count
   * of its own, so that a script with an old secret shuts out nobody else behind the same address.
   */
  countedAs(token: string): string
  /** Whether judging it costs so little that nobody need wait for it, however many wrong ones came before. */
  isCheap(token: string): boolean
}

/** The identity provider's tokens and our own, told apart by their form. */
export function eitherOf(own: Credentials, oidc: Credentials): Credentials {
  const kindOf = (token: string): Credentials => (token.startsWith('chiyuan_') ? own : oidc)
  return {
    admit: (token) => kindOf(token).admit(token),
    countedAs: (token) => kindOf(token).countedAs(token),
    isCheap: (token) => kindOf(token).isCheap(token),
  }
}
