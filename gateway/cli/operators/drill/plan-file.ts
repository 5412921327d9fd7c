// A drill's plan as a person writes it: a YAML file, and the API's faults shown by its lines.
import { z } from 'zod'
import { fieldName, readYaml, type YamlSource } from '../../../../config/yaml-source.ts'
import { UsageError } from '../../../model/errors.ts'
import { readInput } from '../../input-file.ts'
import { oneLine } from '../../table.ts'
import { CommandFailure, exitCodes } from '../failure.ts'

const maxBytes = 64 * 1024

export interface PlanFile {
  readonly plan: Readonly<Record<string, unknown>>
  readonly place: YamlSource['place']
}

/** @throws {UsageError} for what is no YAML or has no fields. */
export async function readPlan(file: string): Promise<PlanFile> {
  const { raw, place } = readYaml(await readInput(file, 'the plan of a drill', maxBytes), file, true)
  const plan = z.record(z.string(), z.unknown()).safeParse(raw)
  if (plan.success) return { plan: plan.data, place }
  throw new UsageError(`${file}: it must be fields and their values, such as: name: Xi’an goes dark`)
}

/**
 * What `send` does; where the API finds fields of the plan unusable, they are told by the file's lines.
 * @param prefix Where in the file the plan stands.
 * @throws {CommandFailure}
 */
export async function withPlanLines<T>(
  { place }: Pick<PlanFile, 'place'>,
  prefix: readonly PropertyKey[],
  send: () => Promise<T>,
): Promise<T> {
  try {
    return await send()
  } catch (cause) {
    const faults = cause instanceof CommandFailure ? (cause.problem?.errors ?? []) : []
    if (faults.length === 0 || !faults.every((fault) => fault.in === 'body')) throw cause
    const lines = faults.map(({ field, detail }) => {
      const path = field === '' ? [] : field.split('.').map(partOf)
      const name = fieldName([...prefix, ...path])
      return oneLine(`${place([...prefix, ...path])}: ${name === '' ? '' : `${name}: `}${detail}`)
    })
    const text = lines.join('\n')
    throw new CommandFailure(exitCodes.usage, { en: text, zh: text })
  }
}

const partOf = (part: string): string | number => (/^\d+$/.test(part) ? Number(part) : part)
