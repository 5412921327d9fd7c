// What a person reads of a node's store: merged writes to look at, and certificates of what was forgotten. JSON Lines.
import { existsSync } from 'node:fs'
import { Command } from 'commander'
import { check } from './flags.ts'
import { optionFields } from './options.ts'
import { StartError } from './start-error.ts'
import { openStore } from './store/store.ts'
import type { Store } from './store/store.ts'

const mostRows = 10_000

/** `residents reviews` and `residents purges`: both read a store whose node may be running. */
export function recordCommands(): Command[] {
  return [
    reading(
      'reviews',
      'List what home should look at: writes that crossed a change of its own 待复核',
      ({ reviews }) =>
        reviews
          .newest(mostRows)
          .map(({ foundAtMs, ...review }) => Object.assign(review, { foundAt: isoOf(foundAtMs) })),
    ),
    reading('purges', 'List signed certificates of copies that were purged 清除证明', ({ purges }) =>
      purges.all().map(({ purgedAtMs, ...purge }) => Object.assign(purge, { purgedAt: isoOf(purgedAtMs) })),
    ),
  ]
}

const reading = (name: string, description: string, rowsOf: (store: Store) => readonly object[]): Command =>
  new Command(name)
    .description(`${description}; newest first, one JSON object a line.`)
    .requiredOption('--data <file>', 'the node’s data file', (file) => check(optionFields.dataFile, file))
    .action(({ data }: { readonly data: string }) => {
      try {
        // SQLite would make the file.
        if (!existsSync(data)) throw new StartError(`data file ${data} is not there; name the node's --data`)
        const store = openStore(data)
        for (const row of rowsOf(store)) process.stdout.write(`${JSON.stringify(row)}\n`)
        store.close()
      } catch (error) {
        if (!(error instanceof StartError)) throw error
        process.stderr.write(`residents: ${error.message}\n`)
        process.exitCode = 1
      }
    })

const isoOf = (ms: number): string => new Date(ms).toISOString()
