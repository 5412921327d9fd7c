// The `residents` subcommand: makes a data file full of synthetic residents.
import type { KeyObject } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { Command } from 'commander'
import { z } from 'zod'
import { check, text, whole } from './flags.ts'
import { generateResidents } from './generation/generate.ts'
import { duration, Progress } from './generation/progress.ts'
import { gigabytes } from './generation/target-file.ts'
import { optionFields, wholeNumber } from './options.ts'
import { recordCommands } from './records-command.ts'
import { StartError } from './start-error.ts'
import { openStore } from './store/store.ts'
import { syntheticSeed } from './synthetic.ts'
import { PepperFileError, readPeppers } from './tokens/peppers.ts'
import { SYNTHETIC_NUMBERS, syntheticCitizenNumber } from './tokens/synthetic-number.ts'

interface Flags {
  readonly region: string
  readonly count: number
  readonly data: string
  readonly seed: number
  readonly tests: boolean
  readonly force?: true
  readonly pepper?: string
}

const countField = wholeNumber(1, 100_000_000)
const seedField = wholeNumber(0, 4_294_967_295)
const fileField = optionFields.dataFile.refine((file) => file !== ':memory:', {
  error: 'must be a file, such as data/610100.db',
})

/** A fresh `residents` command, to be run by itself or mounted in another. */
export function residentsCommand(): Command {
  const command = new Command('residents').description('synthetic residents for a region node')
  command
    .command('generate')
    .description(
      'Make a data file with synthetic residents, R<region>-000001 and so on. Nobody in it is real.\n' +
        'The same region, count and seed give the same residents; seed 1 gives those that a node makes itself.',
    )
    .requiredOption(
      '--region <code>',
      'whose residents they are, such as 610100',
      text(optionFields.regionCode),
    )
    .requiredOption('--count <n>', 'how many, 1 to 100000000', whole(countField))
    .requiredOption('--data <file>', 'the file to make; its folder must exist', (file) =>
      check(fileField, file),
    )
    .option('--seed <n>', 'decides colours and tests', whole(seedField), 1)
    .option('--no-tests', 'leave out test histories: a third of the size')
    .option(
      '--pepper <file>',
      'give them ID cards, with numbers that are nobody’s (division 00), by the newest pepper of this file',
      text(z.string().min(1)),
    )
    .option('--force', 'replace a data file that is there')
    .addHelpText('after', EXAMPLES)
    .action(run)
  command
    .command('begin-epoch')
    .description(
      'After a region’s writer came back from a backup file: have all who follow it read it anew.\n' +
        'Run it before the node is started on that file, or followers refuse it.',
    )
    .requiredOption('--region <code>', 'whose residents, such as 610100', text(optionFields.regionCode))
    .requiredOption('--data <file>', 'the restored file', (file) => check(fileField, file))
    .action(beginEpoch)
  for (const records of recordCommands()) command.addCommand(records)
  return command
}

const EXAMPLES = `
Examples:
  chiyuan residents generate --region 610100 --count 13000000 --data data/610100.db
  chiyuan region-node --region 610100 --data data/610100.db

Takes 8 bytes of memory a resident. Ctrl-C stops it and leaves nothing behind.`

async function beginEpoch({ region, data }: Pick<Flags, 'region' | 'data'>): Promise<void> {
  try {
    // SQLite would make the file.
    if (!existsSync(data)) throw new StartError(`data file ${data} is not there; name the restored one`)
    const store = openStore(data)
    const begun = await store.write(() => store.feed.beginEpoch(region))
    store.close()
    if (begun === undefined) throw new StartError(`data file ${data} holds no resident of ${region}`)
    process.stdout.write(`${data}: epoch ${begun.epoch} of ${region} has begun\n`)
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    process.stderr.write(`residents: ${error.message}\n`)
    process.exitCode = 1
  }
}

const SIGNAL_NUMBERS = { SIGINT: 2, SIGTERM: 15 } as const

async function run({ region, count, data, seed, tests, force, pepper }: Flags): Promise<void> {
  const stopping = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stopping.abort(signal))
  const progress = new Progress(process.stderr, count, () => performance.now())
  const generation = { region, count, file: data, seed: syntheticSeed(seed), tests, force: force ?? false }
  try {
    const cards = pepper === undefined ? {} : { pepper: pepperFor(pepper, count) }
    await generateResidents({ ...generation, ...cards, nowMs: Date.now() }, progress, stopping.signal)
    progress.end()
    process.stdout.write(summary(region, count, data))
    if (pepper !== undefined) process.stdout.write(firstCard(region))
  } catch (error) {
    progress.end()
    const said = complaint(error, stopping.signal)
    process.stderr.write(`chiyuan: ${said.text}\n`)
    process.exitCode = said.exitCode
  }
}

const summary = (region: string, count: number, file: string): string =>
  `made ${count.toLocaleString('en-US')} synthetic residents of ${region}: ${file}, ` +
  `${gigabytes(statSync(file).size)}, ${duration(performance.now() / 1_000)}\n` +
  `serve them: chiyuan region-node --region ${region} --data ${file}\n`

/** @throws {StartError} There are not so many numbers. @throws {PepperFileError} */
function pepperFor(file: string, count: number): KeyObject | undefined {
  if (count > SYNTHETIC_NUMBERS) {
    throw new StartError(
      `--count ${count}: with --pepper at most ${SYNTHETIC_NUMBERS}, so many numbers there are`,
    )
  }
  return readPeppers(file)[0]?.key
}

const firstCard = (region: string): string =>
  `the first one’s ID card, nobody’s: ${syntheticCitizenNumber(0, region)}\n`

function complaint(error: unknown, signal: AbortSignal): { text: string; exitCode: number } {
  if (signal.aborted) {
    const name = signal.reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT'
    return { text: 'stopped; nothing was left behind', exitCode: 128 + SIGNAL_NUMBERS[name] }
  }
  // Anything else is a fault of ours, and its stack is wanted.
  if (!(error instanceof StartError || error instanceof PepperFileError)) throw error
  return { text: error.message, exitCode: 1 }
}
