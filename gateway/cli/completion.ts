// `chiyuan completion`: what a shell offers after Tab, made of the commands themselves.
import { Argument, Command } from 'commander'
import { type Branch, completionScripts, shells, type Shell } from './completion-scripts.ts'

/** @param program With all its commands loaded by the time that this one runs. */
export function completionCommand(program: Command): Command {
  return new Command('completion')
    .description('print what a shell needs to complete chiyuan 输出命令补全脚本')
    .addArgument(new Argument('<shell>').choices([...shells]))
    .addHelpText('after', help)
    .action((shell: Shell) => {
      process.stdout.write(completionScripts[shell](branchesOf(program, [])))
    })
}

const help = `
Examples 示例:
  source <(chiyuan completion bash)                     # this shell alone 仅当前会话
  chiyuan completion bash > ~/.local/share/bash-completion/completions/chiyuan
  chiyuan completion zsh > ~/.zsh/completions/_chiyuan  # a folder of $fpath
  chiyuan completion fish > ~/.config/fish/completions/chiyuan.fish`

function branchesOf(command: Command, path: readonly string[]): Branch[] {
  const help = command.createHelp()
  const subcommands = help.visibleCommands(command)
  const options = help.visibleOptions(command).map(({ short, long, argChoices, required, optional }) => ({
    flags: [short, long].filter((flag) => flag !== undefined),
    // Of a value that may be anything nothing is known: the shell offers files.
    values: argChoices ?? (required || optional ? [] : null),
  }))
  const place = path.join(' ')
  const words = [
    ...subcommands.map((sub) => sub.name()),
    ...command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
    ...options.flatMap(({ flags }) => flags),
  ]
  return [
    ...options.flatMap(({ flags, values }) =>
      values === null ? [] : flags.map((after) => ({ place, after, words: values })),
    ),
    { place, after: null, words },
    ...subcommands
      .filter((sub) => sub.name() !== 'help')
      .flatMap((sub) => branchesOf(sub, [...path, sub.name()])),
  ]
}
