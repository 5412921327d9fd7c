// Where a new token goes, the only time that anybody sees it: a file of its own, or alone on standard output.
import { open, rm } from 'node:fs/promises'
import { errorCode, errorText, UsageError } from '../../model/errors.ts'
import { inLanguage, type Language } from './language.ts'

export interface TokenOutlet extends AsyncDisposable {
  give(token: string, language: Language): Promise<void>
}

/**
 * Opened before the token is made, so that none is made which can't be kept.
 * @throws {UsageError} for a file that is there already or can't be made.
 */
export async function tokenOutlet(file: string | undefined): Promise<TokenOutlet> {
  if (file === undefined) return standardOutput
  const handle = await open(file, 'wx', 0o600).catch((cause: unknown) => {
    const why =
      errorCode(cause) === 'EEXIST' ? 'it is there already' : `it can't be made (${errorText(cause)})`
    throw new UsageError(`--out ${file}: ${why}; name another 请换一个文件名`)
  })
  let given = false
  return {
    async give(token, language) {
      await handle.writeFile(`${token}\n`)
      await handle.sync()
      given = true
      process.stderr.write(
        `${inLanguage(language, { en: `token written to ${file}`, zh: `令牌已写入 ${file}` })}\n`,
      )
    },
    async [Symbol.asyncDispose]() {
      await handle.close()
      if (!given) await rm(file, { force: true })
    },
  }
}

const standardOutput: TokenOutlet = {
  give(token, language) {
    const words = {
      en: 'the token, shown this once; keep it in a file of yours alone:',
      zh: '令牌，仅显示这一次；请存入仅本人可读的文件：',
    }
    process.stderr.write(`${inLanguage(language, words)}\n`)
    process.stdout.write(`${token}\n`)
    return Promise.resolve()
  },
  [Symbol.asyncDispose]: () => Promise.resolve(),
}
