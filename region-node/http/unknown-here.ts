// What to say of a resident who is not in the store: unknown, or of a home whose copy is not whole yet.
import type { CodeService } from '../service.ts'
import { copyNotFit, unknownResident } from './problem.ts'
import type { ProblemError } from './problem.ts'

/** A copy that is still being read says nothing of whom it has not come to: another node is to be asked. */
export function unknownHere({ copies }: CodeService): ProblemError {
  const partial = copies.all().find(({ facts }) => !facts.whole)
  return partial === undefined ? unknownResident() : copyNotFit(partial.home)
}
