// Asks before something is done that residents or colleagues would feel.
import { createInterface } from 'node:readline'
import type { Desk } from './command.ts'
import { CommandFailure, exitCodes } from './failure.ts'
import type { Words } from './language.ts'

/**
 * Shows what would be done and resolves once it shall be. Where nobody can be asked, `--yes` must have been said.
 * @throws {CommandFailure} where it shall not, and nothing has been changed.
 */
export async function mustAgree(desk: Desk, yes: boolean, plan: string): Promise<void> {
  process.stderr.write(plan)
  if (yes) return
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new CommandFailure(exitCodes.usage, {
      en: 'nobody can be asked here, so nothing was changed; say --yes if it shall be done',
      zh: '此处无人可确认，未作任何更改；确要执行请加 --yes',
    })
  }
  const answer = await asked(desk.say({ en: 'Do it? [y/N] ', zh: '确认执行？[y/N] ' }))
  if (/^(?:y|yes|是)$/i.test(answer.trim())) return
  throw new CommandFailure(exitCodes.failed, nothingChanged)
}

const nothingChanged: Words = { en: 'nothing was changed', zh: '未作任何更改' }

/** @throws {CommandFailure} on Ctrl-C. */
async function asked(question: string): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr })
  try {
    return await new Promise<string>((resolve, reject) => {
      lines.once('SIGINT', () => {
        process.stderr.write('\n')
        reject(new CommandFailure(exitCodes.interrupted, nothingChanged))
      })
      // The end of input is no yes.
      lines.once('close', () => resolve(''))
      lines.question(question, resolve)
    })
  } finally {
    lines.close()
  }
}
