// `chiyuan config`: check a file, and print the reference of all fields.
import { readFile, writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { loadConfig } from '../../config/load.ts'
import { configReference } from '../../config/reference.ts'

export function configCommand(): Command {
  const command = new Command('config').description('check a configuration, or print what can be configured')
  command
    .command('check')
    .description('say everything that is wrong with a file; exit 1 if anything is')
    .argument('<file>', 'configuration file')
    .action(async (file: string) => {
      const config = await loadConfig(file, process.env)
      const nodes = config.regions.reduce((sum, region) => sum + region.nodes.length, 0)
      const more = config.discovery.driver === 'none' ? '' : ', others in the catalogue'
      process.stdout.write(`${file}: good: ${config.regions.length} regions, ${nodes} nodes${more}\n`)
    })
  command
    .command('reference')
    .description('print the reference of all fields as Markdown')
    .option('--write <file>', 'write it to a file instead')
    .option('--check <file>', 'exit 1 if the file is not up to date')
    .action(async ({ write, check }: { write?: string; check?: string }) => {
      const text = configReference()
      if (check !== undefined) {
        if ((await readFile(check, 'utf8')) === text) return
        process.stderr.write(`chiyuan: ${check} is stale; run: npm run docs\n`)
        process.exitCode = 1
      } else if (write === undefined) process.stdout.write(text)
      else await writeFile(write, text)
    })
  return command
}
