// The node's store: one SQLite database, its tables, and the queue through which writes go.
import { openDatabase } from './database.ts'
import { answerTable } from './answers.ts'
import type { AnswerTable } from './answers.ts'
import { copyTable } from './copies.ts'
import type { CopyTable } from './copies.ts'
import { carriedCodeTable } from './carried-codes.ts'
import type { CarriedCodeTable } from './carried-codes.ts'
import { feedTable } from './feed.ts'
import type { FeedTable } from './feed.ts'
import { holdingTable } from './holdings.ts'
import type { HoldingTable } from './holdings.ts'
import { journalTable } from './journal.ts'
import type { JournalTable } from './journal.ts'
import { purgeTable } from './purges.ts'
import type { PurgeTable } from './purges.ts'
import { registrationTable } from './registrations.ts'
import type { RegistrationTable } from './registrations.ts'
import { residentTable } from './residents.ts'
import type { ResidentTable } from './residents.ts'
import { reviewTable } from './reviews.ts'
import type { ReviewTable } from './reviews.ts'
import { statementTable } from './statements.ts'
import type { StatementTable } from './statements.ts'
import { terminalTable } from './terminals.ts'
import type { TerminalTable } from './terminals.ts'
import { testTable } from './tests.ts'
import type { TestTable } from './tests.ts'
import { createWriteQueue } from './write-queue.ts'
import type { WriteQueue } from './write-queue.ts'

export interface Store {
  readonly residents: ResidentTable
  readonly tests: TestTable
  readonly registrations: RegistrationTable
  readonly statements: StatementTable
  readonly carriedCodes: CarriedCodeTable
  /** Who changed since when, for donors. */
  readonly feed: FeedTable
  readonly answers: AnswerTable
  readonly copies: CopyTable
  /** What was taken for other homes. */
  readonly journal: JournalTable
  readonly reviews: ReviewTable
  readonly purges: PurgeTable
  readonly holdings: HoldingTable
  readonly terminals: TerminalTable
  /** Runs `job` in a transaction; see {@link WriteQueue.run}. */
  readonly write: WriteQueue['run']
  /** Resolves after the next group that was committed, or when `signal` is aborted. */
  readonly nextCommit: WriteQueue['nextCommit']
  /** Commits what waits, then closes the file. A second call does nothing. */
  close(): void
}

/**
 * @param file A path or `:memory:`.
 * @throws {StartError} See {@link openDatabase}.
 */
export function openStore(file: string): Store {
  const db = openDatabase(file)
  const queue = createWriteQueue(db)
  const feed = feedTable(db)
  return {
    residents: residentTable(db, feed),
    tests: testTable(db),
    registrations: registrationTable(db),
    statements: statementTable(db),
    carriedCodes: carriedCodeTable(db),
    feed,
    answers: answerTable(db),
    copies: copyTable(db),
    journal: journalTable(db),
    reviews: reviewTable(db),
    purges: purgeTable(db),
    holdings: holdingTable(db),
    terminals: terminalTable(db),
    write: (job) => queue.run(job),
    nextCommit: (signal) => queue.nextCommit(signal),
    close: () => {
      if (!db.isOpen) return
      queue.flush()
      db.close()
    },
  }
}
