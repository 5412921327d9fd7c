// The command line of the benchmark.
import { parseArgs } from 'node:util'
import { contenders } from './contenders/all.ts'

export interface Flags {
  readonly help: boolean
  readonly only: 'cpu' | 'faults' | null
  /** Names; all where not told. */
  readonly contenders: readonly string[]
  readonly rounds: number
  /** Length of a measured CPU round, s. */
  readonly seconds: number
  readonly quick: boolean
  /** Where to write; null: nowhere, since a part of the whole must not pass for it. */
  readonly out: string | null
}

/** Something on the command line is wrong; the message says what would be right. */
export class FlagError extends Error {
  override readonly name = 'FlagError'
}

const names = contenders.map(({ name }) => name)

export const help = `npm run bench -- [flags]

  --only cpu|faults    measure CPU per request only, or the fault scenarios only
  --contenders a,b     of ${names.join(', ')}; all where not given
  --rounds N           measured CPU rounds of each contender, 1 to 50; 5 where not given
  --seconds N          length of a CPU round, whole seconds, 1 to 60; 3 where not given
  --quick              short rounds and scenarios, to try the harness; no result to show
  --out DIR            folder for latest.json and latest.md; docs/benchmarks for a full run,
                       none where --only, --contenders or --quick narrow it
  --help               this text
`

/** @throws {FlagError} */
export function readFlags(args: readonly string[]): Flags {
  const { values } = parse(args)
  const chosen = readNames(values.contenders)
  const quick = values.quick === true
  const only = readOnly(values.only)
  const isFull = !quick && only === null && values.contenders === undefined
  if (only === 'faults') {
    for (const flag of ['rounds', 'seconds'] as const) {
      if (values[flag] !== undefined)
        throw new FlagError(`--${flag} is for CPU rounds; --only faults has none`)
    }
  }
  return {
    help: values.help === true,
    only,
    contenders: chosen,
    rounds: readCount('--rounds', values.rounds, quick ? 2 : 5, 50),
    seconds: readCount('--seconds', values.seconds, quick ? 1 : 3, 60),
    quick,
    out: values.out ?? (isFull ? 'docs/benchmarks' : null),
  }
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      options: {
        only: { type: 'string' },
        contenders: { type: 'string' },
        rounds: { type: 'string' },
        seconds: { type: 'string' },
        quick: { type: 'boolean' },
        out: { type: 'string' },
        help: { type: 'boolean' },
      },
    })
  } catch (cause) {
    const message = cause instanceof Error ? (cause.message.split('. ', 1)[0] ?? '') : String(cause)
    throw new FlagError(message.replace(/\.$/, ''))
  }
}

function readOnly(text: string | undefined): Flags['only'] {
  if (text === undefined) return null
  if (text === 'cpu' || text === 'faults') return text
  throw new FlagError(`--only ${text}: it must be cpu or faults`)
}

function readNames(text: string | undefined): readonly string[] {
  if (text === undefined) return names
  const chosen = text.split(',').map((name) => name.trim())
  const unknown = chosen.filter((name) => !names.includes(name))
  if (unknown.length > 0) {
    throw new FlagError(`--contenders: there is no '${unknown.join("', '")}', only ${names.join(', ')}`)
  }
  return chosen
}

function readCount(flag: string, text: string | undefined, fallback: number, most: number): number {
  if (text === undefined) return fallback
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value
  throw new FlagError(`${flag} ${text}: it must be a whole number from 1 to ${most}`)
}
