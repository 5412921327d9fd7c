// The `subject-tokens` subcommand: what a terminal does with the documents that it reads, and the peppers for it.
import { createInterface } from 'node:readline'
import { Command } from 'commander'
import { z } from 'zod'
import { check, text } from './flags.ts'
import { StartError } from './start-error.ts'
import { syntheticToken } from './synthetic.ts'
import { DOCUMENT_TYPES, readDocument } from './tokens/document.ts'
import type { DocumentType } from './tokens/document.ts'
import { createPepperFile, PepperFileError, readPeppers, rotatePeppers, tokensOf } from './tokens/peppers.ts'
import type { Pepper } from './tokens/peppers.ts'

const typeField = z.enum(DOCUMENT_TYPES, { error: `must be one of ${DOCUMENT_TYPES.join(', ')}` })
const fileArgument = ['<file>', 'the pepper file; mode 0600', text(z.string().min(1))] as const

interface MakeFlags {
  readonly type: DocumentType
  readonly pepper?: string
}

/** A fresh `subject-tokens` command, to be run by itself or mounted in another. */
export function subjectTokensCommand(): Command {
  const command = new Command('subject-tokens').description(
    'subject tokens of documents, and the peppers behind them',
  )
  command
    .command('create-pepper')
    .description('make a pepper file; whoever has it can find numbers by their tokens')
    .argument(...fileArgument)
    .action((file: string) => told(() => createPepperFile(file)))
  command
    .command('rotate-pepper')
    .description('add a pepper of the next epoch to the file; the old ones stay')
    .argument(...fileArgument)
    .action((file: string) => told(() => rotatePeppers(file)))
  command
    .command('make')
    .description(
      'Read numbers from standard input, one a line, and write a line of tokens for each: the newest epoch’s,\n' +
        'then older ones’. A number that is none gives "invalid:" and the kind of fault.',
    )
    .requiredOption('--type <type>', `kind of document: ${DOCUMENT_TYPES.join(', ')}`, (type) =>
      check(typeField, type),
    )
    .option('--pepper <file>', 'the pepper file; synthetic documents need none')
    .addHelpText('after', EXAMPLES)
    .action(({ type, pepper }: MakeFlags) => told(() => make(type, pepper)))
  return command
}

const EXAMPLES = `
Example, of a synthetic resident:
  echo R610100-000001 | chiyuan subject-tokens make --type synthetic

Numbers are taken from standard input alone: arguments can be seen by everybody on the machine.`

async function make(type: DocumentType, pepperFile: string | undefined): Promise<void> {
  const peppers = peppersFor(type, pepperFile)
  // A reader that has had enough, such as `head`, is no fault.
  process.stdout.once('error', () => process.exit())
  for await (const line of createInterface({ input: process.stdin })) {
    const reading = readDocument(type, line.trim(), Date.now())
    const answer = reading.ok
      ? (peppers ? tokensOf(peppers, reading.document) : [syntheticToken(reading.document.number)]).join(' ')
      : `invalid: ${reading.fault}`
    process.stdout.write(`${answer}\n`)
  }
}

function peppersFor(type: DocumentType, file: string | undefined): Pepper[] | undefined {
  if (file !== undefined) return readPeppers(file)
  if (type === 'synthetic') return undefined
  throw new StartError(`documents of type ${type} need a pepper; name its file with --pepper`)
}

async function told(act: () => void | Promise<void>): Promise<void> {
  try {
    await act()
  } catch (error) {
    if (!(error instanceof StartError || error instanceof PepperFileError)) throw error
    process.stderr.write(`chiyuan: ${error.message}\n`)
    process.exitCode = 1
  }
}
