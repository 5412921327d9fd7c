// The name of a printed code: a UUID in the store and in answers, the same 16 bytes in 22 characters on the paper.
import { uuidText } from './uuid.ts'

/** @returns `rid` of the signed paper. */
export const paperName = (codeId: string): string =>
  Buffer.from(codeId.replaceAll('-', ''), 'hex').toString('base64url')

/** @param rid Of a paper that was found genuine. */
export const codeIdOf = (rid: string): string => uuidText(Buffer.from(rid, 'base64url'))
