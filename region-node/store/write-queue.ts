// Commits writes in groups: those that arrive together share one transaction, so one flush to disk.
import { EventEmitter, once } from 'node:events'
import type { DatabaseSync } from 'node:sqlite'

export interface WriteQueue {
  /**
   * Runs `job` in the next group. Resolves only when its transaction is on disk, so what a caller
   * acknowledges after awaiting can't be lost. Rejects, with that job undone, when the job throws;
   * rejects the whole group when the commit fails.
   */
  run<T>(job: () => T): Promise<T>
  /** Resolves after the next group that was committed, or when `signal` is aborted. */
  nextCommit(signal: AbortSignal): Promise<void>
  /** Commits at once whatever waits. */
  flush(): void
}

interface PendingWrite {
  attempt(): void
  settle(): void
  fail(error: unknown): void
}

export function createWriteQueue(db: DatabaseSync): WriteQueue {
  let waiting: PendingWrite[] = []
  const commits = new EventEmitter()
  commits.setMaxListeners(0)

  const flush = (): void => {
    const group = waiting
    waiting = []
    if (group.length === 0) return
    try {
      db.exec('BEGIN IMMEDIATE')
      for (const write of group) write.attempt()
      db.exec('COMMIT')
    } catch (error) {
      // A failed COMMIT may leave the transaction open, a full disk closes it by itself.
      if (db.isOpen && db.isTransaction) db.exec('ROLLBACK')
      for (const write of group) write.fail(error)
      return
    }
    for (const write of group) write.settle()
    commits.emit('commit')
  }

  return {
    flush,
    nextCommit: (signal) =>
      once(commits, 'commit', { signal }).then(
        () => undefined,
        () => undefined,
      ),
    run: (job) =>
      new Promise((resolve, reject) => {
        // setImmediate: every request read in this turn of the event loop joins the same group.
        if (waiting.length === 0) setImmediate(flush)
        waiting.push(pendingWrite(db, job, resolve, reject))
      }),
  }
}

function pendingWrite<T>(
  db: DatabaseSync,
  job: () => T,
  resolve: (value: T) => void,
  reject: (error: unknown) => void,
): PendingWrite {
  let settle = (): void => undefined
  return {
    attempt: () => {
      db.exec('SAVEPOINT write')
      try {
        const value = job()
        settle = () => resolve(value)
      } catch (error) {
        db.exec('ROLLBACK TO write')
        settle = () => reject(error)
      }
      db.exec('RELEASE write')
    },
    settle: () => settle(),
    fail: reject,
  }
}
