// An answer that goes on to the client as it comes, no faster than the client reads.
import { setTimeout as startTimer, clearTimeout as stopTimer } from 'node:timers'
import { type PublicResponse, writeBody } from '../http.ts'
import type { Attempt } from './attempt.ts'

export class PassingOn {
  private readonly attempt: Attempt
  private readonly client: PublicResponse
  private readonly idleMs: number
  private readonly givenUp: () => void
  private pausedSince: NodeJS.Timeout | undefined

  /**
   * @param idleMs How long a client may read nothing: as long as a pause in the answer itself would be borne.
   * @param givenUp Told when it has.
   */
  constructor(attempt: Attempt, client: PublicResponse, idleMs: number, givenUp: () => void) {
    this.attempt = attempt
    this.client = client
    this.idleMs = idleMs
    this.givenUp = givenUp
    client.on('drain', () => this.caughtUp())
  }

  /** Returns false when the client is to be waited for. */
  write(chunk: Buffer): boolean {
    if (writeBody(this.client, chunk)) return true
    this.pausedSince ??= startTimer(this.givenUp, this.idleMs)
    return false
  }

  stop(): void {
    stopTimer(this.pausedSince)
  }

  private caughtUp(): void {
    stopTimer(this.pausedSince)
    this.pausedSince = undefined
    this.attempt.resume()
  }
}
