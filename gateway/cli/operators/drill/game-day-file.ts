// A game day as a person writes it: several drills in order, in one YAML file.
import { z } from 'zod'
import { nearest, showValue } from '../../../../config/problem.ts'
import { fieldName, readYaml, type YamlSource } from '../../../../config/yaml-source.ts'
import { UsageError } from '../../../model/errors.ts'
import { readInput } from '../../input-file.ts'
import { oneLine } from '../../table.ts'

const maxBytes = 256 * 1024

const drill = z
  .looseObject(
    {
      name: z.string('a short text, such as: Xi’an goes dark').trim().min(1, 'a short text').max(100),
      pauseSeconds: z
        .number('seconds, such as 30')
        .min(0, '0 or more seconds')
        .max(86_400, 'a day at the most')
        .default(0),
      override: z.boolean('true or false').default(false),
    },
    'a drill: name, scope, fault and what else a plan has',
  )
  // What else a plan has is judged by the gateway, when it is drafted.
  .transform(({ pauseSeconds, override, ...plan }) => ({ pauseSeconds, override, plan }))

const dayShape = {
  name: z.string('a short text, such as: Q4 game day').trim().min(1, 'a short text').max(100),
  reason: z.string('why, in a few words').trim().min(1, 'why, in a few words').max(2000),
  continueOnFailure: z.boolean('true or false').default(false),
  drills: z
    .array(drill, 'a list of drills, each with name, scope and fault')
    .min(1, 'at least one drill')
    .max(50, '50 drills at the most'),
}
export const gameDaySchema = z.strictObject(dayShape, 'fields and their values: name, reason, drills')
export type GameDay = z.output<typeof gameDaySchema>

export interface GameDayFile {
  readonly day: GameDay
  readonly place: YamlSource['place']
}

/** @throws {UsageError} naming line, field, value and what would be right. */
export async function readGameDay(file: string): Promise<GameDayFile> {
  return parseGameDay(await readInput(file, 'a game day', maxBytes), file)
}

/** @param file Named in errors. @throws {UsageError} */
export function parseGameDay(text: string, file: string): GameDayFile {
  const { raw, place } = readYaml(text, file, true)
  const parsed = gameDaySchema.safeParse(raw, { reportInput: true })
  if (parsed.success) return { day: parsed.data, place }
  const lines = parsed.error.issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => lineOf(place, [...issue.path, key], unknownField(key)))
      : [lineOf(place, issue.path, faultText(issue))],
  )
  throw new UsageError(lines.join('\n'))
}

function unknownField(key: string): string {
  const known = Object.keys(dayShape)
  const meant = nearest(key, known)
  const all = `unknown field; a game day has ${known.join(', ')}`
  return meant === null ? all : `${all}; did you mean ${meant}?`
}

const faultText = ({ input, message }: z.core.$ZodIssue): string =>
  input === undefined ? `it is missing; write ${message}` : `it must be ${message}, not ${showValue(input)}`

const lineOf = (place: YamlSource['place'], path: readonly PropertyKey[], message: string): string => {
  const name = fieldName(path)
  return oneLine(`${place(path)}: ${name === '' ? '' : `${name}: `}${message}`)
}
