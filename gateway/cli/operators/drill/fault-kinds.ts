// The faults by name, as the policy's own words list them.
import { faultWords } from '../../../policy/drill-words.ts'

export const faultKinds: readonly string[] = Object.keys(faultWords)
