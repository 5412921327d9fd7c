// The terms of an enrolment as a person writes them: a YAML file, and the API's faults shown by its lines.
import { z } from 'zod'
import { fieldName, readYaml, type YamlSource } from '../../../config/yaml-source.ts'
import { UsageError } from '../../model/errors.ts'
import { readInput } from '../input-file.ts'
import { oneLine } from '../table.ts'
import { CommandFailure, exitCodes } from './failure.ts'

/** What the API takes, certificates included. */
const maxBytes = 256 * 1024

export interface TermsFile {
  readonly file: string
  readonly terms: Readonly<Record<string, unknown>>
  readonly place: YamlSource['place']
}

/** @throws {UsageError} for what is no YAML or has no fields. */
export async function readTerms(file: string): Promise<TermsFile> {
  const { raw, place } = readYaml(await readInput(file, 'the terms of an enrolment', maxBytes), file, true)
  const terms = z.record(z.string(), z.unknown()).safeParse(raw)
  if (terms.success) return { file, terms: terms.data, place }
  throw new UsageError(`${file}: it must be fields and their values, such as: homes: ['610100']`)
}

/** What `send` does; where the API finds fields of the file unusable, they are told by its lines. @throws {CommandFailure} */
export async function withLines<T>({ place }: TermsFile, send: () => Promise<T>): Promise<T> {
  try {
    return await send()
  } catch (cause) {
    const faults = cause instanceof CommandFailure ? (cause.problem?.errors ?? []) : []
    const isOfTheFile = (fault: { in: string; field: string }): boolean =>
      fault.in === 'body' && /^terms(?:\.|$)/.test(fault.field)
    if (faults.length === 0 || !faults.every(isOfTheFile)) throw cause
    const lines = faults.map(({ field, detail }) => {
      const [, ...path] = field.split('.').map((part) => (/^\d+$/.test(part) ? Number(part) : part))
      const name = fieldName(path)
      return oneLine(`${place(path)}: ${name === '' ? '' : `${name}: `}${detail}`)
    })
    const text = lines.join('\n')
    throw new CommandFailure(exitCodes.usage, { en: text, zh: text })
  }
}
