// Every check, in the order in which they run: what fills the node late, and what looks back at all answers last.
import type { Check } from './check.ts'
import { codeChecks } from './checks/codes.ts'
import { errorChecks } from './checks/errors.ts'
import { healthChecks, loadChecks } from './checks/health.ts'
import { leakChecks } from './checks/leaks.ts'
import { overloadChecks } from './checks/overload.ts'
import { paperChecks } from './checks/paper.ts'
import { verificationChecks } from './checks/verification.ts'
import { writeChecks } from './checks/writes.ts'

export const allChecks: readonly Check[] = [
  ...healthChecks,
  ...loadChecks,
  ...codeChecks,
  ...verificationChecks,
  ...errorChecks,
  ...writeChecks,
  ...paperChecks,
  ...overloadChecks,
  ...leakChecks,
]
