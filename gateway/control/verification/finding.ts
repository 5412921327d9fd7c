// What one check found, before it is named.
import type { Check } from '../../model/verification.ts'

export type Finding = Pick<Check, 'outcome' | 'detail' | 'measured'>
