// `chiyuan state`: backup and restore of what operators have decided.
import { Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import { backUp, restore, type StateSummary } from '../compose/state.ts'
import { Progress } from '../../region-node/generation/progress.ts'

export function stateCommand(): Command {
  const command = new Command('state').description(
    'back up what operators have decided, and put it back 备份与恢复',
  )
  command
    .command('backup')
    .description('copy the registry; its gateway may go on meanwhile')
    .argument('<file>', 'the copy, a new file')
    .requiredOption('-c, --config <file>', 'configuration file of the gateway')
    .action(async (file: string, { config }: { config: string }) => {
      const bar = new Progress(process.stderr, 100, () => performance.now())
      const loaded = await loadConfig(config, process.env)
      bar.step('copying 备份中')
      const summary = await backUp(loaded, file, (share) => bar.done(share * 100))
      bar.end()
      process.stdout.write(`${file}: ${inWords(summary)}\n`)
    })
  command
    .command('restore')
    .description('put a backup in the registry’s place; the gateway must be stopped')
    .argument('<file>', 'the backup')
    .requiredOption('-c, --config <file>', 'configuration file of the gateway')
    .requiredOption('--reason <text>', 'why; stands in the audit log')
    .action(async (file: string, { config, reason }: { config: string; reason: string }) => {
      const { before, restored } = await restore(await loadConfig(config, process.env), file, reason)
      process.stdout.write(`${file} is in force: ${inWords(restored)}\n`)
      if (before !== null) process.stdout.write(`what was there is kept in ${before}\n`)
    })
  return command.addHelpText('after', examples)
}

const inWords = ({ records, audit, anchor }: StateSummary): string =>
  `${records} records, ${audit} of the audit log. Keep its end elsewhere: ${anchor}`

const examples = `
Examples 示例:
  chiyuan state backup --config gateway.yaml /backup/chiyuan-2026-11-24.db
  chiyuan state restore --config gateway.yaml --reason "disk lost" /backup/chiyuan-2026-11-24.db`
