// What is kept of everything that somebody did or tried to do.

export interface AuditEntry {
  /** Who; `null` for somebody who was not let in. */
  readonly actor: { readonly id: string; readonly name: string } | null
  /** Address that it came from, or `local` for the command line on the gateway's own machine. */
  readonly from: string
  /** What, such as `hold.create`. */
  readonly action: string
  /** Of what, such as `holds/7f3a`. */
  readonly target: string
  /** Why, in their words. */
  readonly reason: string | null
  /** The resource as it was and as it is; `null` where it was or is not there, or where nothing changed. Never a secret. */
  readonly before: unknown
  readonly after: unknown
  readonly outcome: 'done' | 'refused' | 'failed'
  /** Why it was refused or failed. */
  readonly detail: string | null
}

export interface AuditRecord extends AuditEntry {
  /** Counts up from 1 without a gap. */
  readonly seq: number
  /** RFC 3339, UTC, with milliseconds. */
  readonly at: string
  /** Hash of the record before; 64 zeros for the first. */
  readonly previous: string
  /** SHA-256 of the record without this field, in hexadecimal. */
  readonly hash: string
}
