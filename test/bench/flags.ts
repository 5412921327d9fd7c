// The command line of the benchmark.
import { parseArgs } from 'node:util'
import { contenders } from './contenders/all.ts'
import type { Part } from './contenders/contender.ts'
import { saturationNames } from './saturation-scenarios.ts'
import { scenarios } from './scenarios.ts'

export interface Flags {
  readonly help: boolean
  /** What to measure, one part or more. */
  readonly parts: readonly Part[]
  /** Names; all where not told. */
  readonly contenders: readonly string[]
  /** Names, of fault and saturation scenarios alike; all where not told. */
  readonly scenarios: readonly string[]
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
const faultNames = scenarios.map(({ name }) => name)
const scenarioNames = [...faultNames, ...saturationNames]
const allParts: readonly Part[] = ['cpu', 'faults', 'saturation']

export const help = `npm run bench -- [flags]

  --only PART          measure CPU per request (cpu), the fault scenarios (faults) or those of
                       more load than the nodes can take (saturation) only
  --contenders a,b     of ${names.join(', ')};
                       all where not given, each in the parts that it can take part in
  --scenarios a,b      no CPU rounds, and of the scenarios only these:
                       ${faultNames.join(', ')};
                       ${saturationNames.join(', ')}
  --rounds N           measured CPU rounds of each contender, 1 to 50; 5 where not given
  --seconds N          length of a CPU round, whole seconds, 1 to 60; 3 where not given
  --quick              short rounds and scenarios, to try the harness; no result to show
  --out DIR            folder for latest.json and latest.md; docs/benchmarks for a full run,
                       none where --only, --contenders, --scenarios or --quick narrow it
  --help               this text
`

/** @throws {FlagError} */
export function readFlags(args: readonly string[]): Flags {
  const { values } = parse(args)
  const quick = values.quick === true
  const only = readOnly(values.only)
  const scenarios = readNames('--scenarios', values.scenarios, scenarioNames)
  const isNarrowed = values.scenarios !== undefined
  const parts = chooseParts(only, scenarios, isNarrowed)
  const isFull = !quick && only === null && !isNarrowed && values.contenders === undefined
  if (!parts.includes('cpu')) {
    for (const flag of ['rounds', 'seconds'] as const) {
      if (values[flag] !== undefined)
        throw new FlagError(`--${flag} is for CPU rounds, of which there are none`)
    }
  }
  return {
    help: values.help === true,
    parts,
    contenders: readNames('--contenders', values.contenders, names),
    scenarios,
    rounds: readCount('--rounds', values.rounds, quick ? 2 : 5, 50),
    seconds: readCount('--seconds', values.seconds, quick ? 1 : 3, 60),
    quick,
    out: values.out ?? (isFull ? 'docs/benchmarks' : null),
  }
}

function chooseParts(only: Part | null, scenarios: readonly string[], isNarrowed: boolean): readonly Part[] {
  const hasWork: Readonly<Record<Part, boolean>> = {
    cpu: !isNarrowed,
    faults: faultNames.some((name) => scenarios.includes(name)),
    saturation: saturationNames.some((name) => scenarios.includes(name)),
  }
  const chosen = allParts.filter((part) => (only === null || part === only) && hasWork[part])
  if (chosen.length === 0) throw new FlagError(`--only ${only}: it has none of the --scenarios`)
  return chosen
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      options: {
        only: { type: 'string' },
        contenders: { type: 'string' },
        scenarios: { type: 'string' },
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

function readOnly(text: string | undefined): Part | null {
  if (text === undefined) return null
  const part = allParts.find((each) => each === text)
  if (part === undefined) throw new FlagError(`--only ${text}: it must be one of ${allParts.join(', ')}`)
  return part
}

function readNames(flag: string, text: string | undefined, all: readonly string[]): readonly string[] {
  if (text === undefined) return all
  const chosen = text.split(',').map((name) => name.trim())
  const unknown = chosen.filter((name) => !all.includes(name))
  if (unknown.length > 0) {
    throw new FlagError(`${flag}: there is no '${unknown.join("', '")}', only ${all.join(', ') || 'nothing'}`)
  }
  return chosen
}

function readCount(flag: string, text: string | undefined, fallback: number, most: number): number {
  if (text === undefined) return fallback
  const value = Number(text)
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value
  throw new FlagError(`${flag} ${text}: it must be a whole number from 1 to ${most}`)
}
