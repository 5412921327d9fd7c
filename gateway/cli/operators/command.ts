// What all operators' commands have in common: their options, their language, and how they end.
import { Command, Option } from 'commander'
import { AdminClient } from './client.ts'
import { type ConnectionFlags, connectionOf, connectionOptions } from './connection.ts'
import { asFailure, exitCodes } from './failure.ts'
import { inLanguage, type Language, languageOf, languages, type Words } from './language.ts'

export interface CommonFlags extends ConnectionFlags {
  readonly lang?: string
  readonly json?: true
}

/** What a command works with. */
export interface Desk {
  readonly client: AdminClient
  readonly language: Language
  /** Whether a program reads: exactly what the API answers, as one document. */
  readonly json: boolean
  /** In the language of who asks. */
  say(words: Words): string
}

const exitCodeHelp = `
Exit code 退出码: ${exitCodes.done} done 完成, ${exitCodes.failed} failed 失败, ${exitCodes.usage} wrong usage 用法有误, ${exitCodes.notAllowed} not allowed 无权限,
${exitCodes.notFound} not found 不存在, ${exitCodes.refused} refused by what is, a guard, or somebody quicker 与状态不符、被保护规则拒绝或已被他人修改.`

/** A command with subcommands of {@link addAction}. @param description English and 中文. */
export function operatorsCommand(name: string, description: string, examples: string): Command {
  return new Command(name)
    .description(description)
    .addHelpText('after', `${exitCodeHelp}\n\nExamples 示例:\n${examples}`)
    .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? exitCodes.done : exitCodes.usage))
}

/** The options that every command has, after its own. */
export function withCommonOptions(command: Command): Command {
  for (const option of connectionOptions()) command.addOption(option)
  return command
    .option('--json', 'print the API’s answer as JSON 以 JSON 输出')
    .addOption(new Option('--lang <language>', 'language 语言 (default: by LANG)').choices([...languages]))
}

/** Runs a command against the gateway that the flags name, and turns how it ends into words and an exit code. */
export const withGateway = (flags: CommonFlags, act: (desk: Desk) => Promise<void>): Promise<void> =>
  inWords(flags, async (language) => {
    await using client = new AdminClient(await connectionOf(flags, process.env))
    await act({ client, language, json: flags.json === true, say: (words) => inLanguage(language, words) })
  })

/** The same without a gateway. */
export async function inWords(
  flags: Pick<CommonFlags, 'lang'>,
  act: (language: Language) => Promise<void>,
): Promise<void> {
  // A reader that has had enough, such as `head`, is no fault.
  process.stdout.on('error', () => process.exit())
  let language: Language = 'en'
  try {
    language = languageOf(flags.lang, process.env)
    await act(language)
  } catch (cause) {
    const failure = asFailure(cause)
    if (failure === null) throw cause
    process.stderr.write(`chiyuan: ${inLanguage(language, failure.words)}\n`)
    process.exitCode = failure.exitCode
  }
}
