// Waits for all of several pieces of input, so that one run tells everything that is wrong with them.
import { UsageError } from '../model/errors.ts'

/** What `Promise.all` gives. @throws {UsageError} with the faults of all of them, one a line. */
export async function allOrEveryFault<T extends readonly unknown[] | []>(
  work: T,
): Promise<{ -readonly [Key in keyof T]: Awaited<T[Key]> }> {
  const ends = await Promise.allSettled(work)
  const faults: unknown[] = ends.flatMap((end) => (end.status === 'rejected' ? [end.reason] : []))
  const told = faults.filter((fault) => fault instanceof UsageError)
  if (told.length > 1 && told.length === faults.length) {
    throw new UsageError(told.map(({ message }) => message).join('\n'))
  }
  return Promise.all(work)
}
