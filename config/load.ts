// Reads a configuration file: YAML and environment in, a checked Config or every problem at once out.
import { readFile } from 'node:fs/promises'
import type { z } from 'zod'
import { modes } from '../gateway/model/mode.ts'
import { errorCode, errorText, UsageError } from '../gateway/model/errors.ts'
import { inconsistencies } from './consistency.ts'
import { applyEnvironment, isRecord } from './environment.ts'
import { ConfigError, type ConfigProblem, nearest, showValue } from './problem.ts'
import { over, profileOf } from './profiles.ts'
import { type Config, configSchema } from './schema.ts'
import { fieldName, readYaml } from './yaml-source.ts'

/**
 * The file as it stands: what its modes change is in `profiles`, and `inMode` puts one in force.
 * @throws {UsageError} when the file can't be read.
 * @throws {ConfigError} with every problem of its contents.
 */
export async function loadConfig(file: string, env: NodeJS.ProcessEnv = {}): Promise<Config> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (cause) {
    const code = errorCode(cause)
    const why =
      code === 'ENOENT'
        ? 'there is no such file'
        : code === 'EISDIR'
          ? 'it is a folder'
          : `reading it failed (${errorText(cause)})`
    throw new UsageError(`${file}: ${why}; give the path of a configuration file, such as config/demo.yaml`, {
      cause,
    })
  }
  return parseConfig(text, file, env)
}

/** @throws {ConfigError} with every problem of `text` and of the environment. */
export function parseConfig(text: string, file: string, env: NodeJS.ProcessEnv = {}): Config {
  const { raw, place: lineOf } = readYaml(text, file, true)
  if (!isRecord(raw)) {
    throw new ConfigError([
      {
        place: `${file}:1`,
        field: '',
        message: `the file holds ${showValue(raw)}; it must hold fields, such as regions:`,
      },
    ])
  }
  const { setBy, problems } = applyEnvironment(raw, env)
  const place = (path: readonly PropertyKey[]): string => setBy.get(path.join('.')) ?? lineOf(path)
  const all: ConfigProblem[] = [...problems]
  const base = checked(raw, place, all)
  // Without a sound file a profile would only repeat its faults.
  if (base !== null && all.length === 0) checkModes(raw, place, all)
  if (all.length > 0 || base === null) throw new ConfigError(all)
  return {
    ...base,
    profiles: { peacetime: profileOf(raw, 'peacetime'), emergency: profileOf(raw, 'emergency') },
  }
}

type Place = (path: readonly PropertyKey[]) => string

/** Adds what is wrong with `raw` to `all`; `null` where it has not even the form of a configuration. */
function checked(raw: Record<string, unknown>, place: Place, all: ConfigProblem[]): Config | null {
  const parsed = configSchema.safeParse(raw)
  if (!parsed.success) {
    for (const issue of parsed.error.issues) all.push(...problemsOf(issue, raw, place))
    return null
  }
  for (const { path, message } of inconsistencies(parsed.data)) {
    all.push({ place: place(path), field: fieldName(path), message })
  }
  return parsed.data
}

/** Checks the file as each mode would have it. */
function checkModes(raw: Record<string, unknown>, place: Place, all: ConfigProblem[]): void {
  for (const mode of modes) {
    const found: ConfigProblem[] = []
    const inProfile = (path: readonly PropertyKey[]): PropertyKey[] => ['profiles', mode, ...path]
    checked(over(raw, profileOf(raw, mode)), (path) => place(inProfile(path)), found)
    all.push(
      ...found.map(({ place: at, field, message }) => ({
        place: at,
        field: `profiles.${mode}.${field}`,
        message,
      })),
    )
  }
}

function problemsOf(
  issue: z.core.$ZodIssue,
  raw: unknown,
  place: (path: readonly PropertyKey[]) => string,
): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const path = [...issue.path, key]
      const known = knownFields(issue.path, raw)
      const guess = nearest(key, known)
      const hint =
        fieldOfOther(key, issue.path) ??
        (guess === null ? `known here: ${known.join(', ')}` : `did you mean ${guess}?`)
      return { place: place(path), field: fieldName(path), message: `no such field; ${hint}` }
    })
  }
  const value = valueAt(raw, issue.path)
  const message =
    value === undefined
      ? `missing; ${expected(issue)}`
      : `${showValue(value)} is not usable; ${expected(issue)}`
  return [{ place: place(issue.path), field: fieldName(issue.path), message }]
}

/** What would be right, in words. */
function expected(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'too_small':
      return `it must be ${issue.inclusive === false ? 'above' : 'at least'} ${issue.minimum}${lengthWord(issue.origin)}`
    case 'too_big':
      return `it must be ${issue.inclusive === false ? 'below' : 'at most'} ${issue.maximum}${lengthWord(issue.origin)}`
    case 'invalid_type':
      return `it must be ${issue.expected === 'int' ? 'a whole number' : article(issue.expected)}`
    case 'invalid_value':
      return `it must be one of: ${issue.values.join(', ')}`
    case 'invalid_format':
      return issue.message.startsWith('Invalid')
        ? 'it has the wrong form'
        : `it must be ${issue.message.replace(/^a region code is/, 'a region code:')}`
    case 'invalid_union':
      return `it must be one of: ${formsAt(issue.path.slice(0, -1)).join(', ')}`
    case 'custom':
      return `it must be ${issue.message}`
    default:
      return issue.message
  }
}

const lengthWord = (origin: string): string =>
  origin === 'string' ? ' characters long' : origin === 'array' ? ' entries long' : ''

const article = (type: string): string =>
  type === 'object' || type === 'record'
    ? 'a section with fields'
    : /^[aeiou]/.test(type)
      ? `an ${type}`
      : `a ${type}`

const valueAt = (raw: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (at, key) => (typeof at === 'object' && at !== null ? Reflect.get(at, key) : undefined),
    raw,
  )

/** The names that would have been right in the section at `path`. */
function knownFields(path: readonly PropertyKey[], raw: unknown): string[] {
  const schema = schemaAt(path)
  const forms = formsOf(schema)
  const given = valueAt(raw, [...path, forms?.discriminator ?? ''])
  const form = forms?.forms.find(({ name }) => name === given) ?? forms?.forms[0]
  const shape = shapeOf(form?.schema ?? schema)
  if (shape !== null) return Object.keys(shape)
  const keys = definitionOf(definitionOf(schema)?.['keyType'])?.['entries']
  return isRecord(keys) ? Object.keys(keys) : []
}

/** Where the section has several forms and the field is of another than was asked for, that one in words. */
function fieldOfOther(key: string, path: readonly PropertyKey[]): string | null {
  const forms = formsOf(schemaAt(path))
  const other = forms?.forms.find(({ schema }) => Object.hasOwn(shapeOf(schema) ?? {}, key))
  return other === undefined || forms === null ? null : `it goes with ${forms.discriminator}: ${other.name}`
}

interface Forms {
  /** Field that tells them apart. */
  readonly discriminator: string
  readonly forms: readonly { readonly name: string; readonly schema: unknown }[]
}

function formsOf(schema: unknown): Forms | null {
  const { discriminator, options } = definitionOf(schema) ?? {}
  if (typeof discriminator !== 'string' || !Array.isArray(options)) return null
  const forms = options.map((option: unknown) => {
    const values = definitionOf(shapeOf(option)?.[discriminator])?.['values']
    return { name: Array.isArray(values) ? String(values[0]) : '', schema: option }
  })
  return { discriminator, forms }
}

/** Names of the forms of the section at `path`. */
const formsAt = (path: readonly PropertyKey[]): string[] =>
  formsOf(schemaAt(path))?.forms.map(({ name }) => name) ?? []

function schemaAt(path: readonly PropertyKey[]): unknown {
  let schema: unknown = configSchema
  for (const part of path) schema = inner(schema, part)
  return schema
}

function inner(schema: unknown, part: PropertyKey): unknown {
  const shape = shapeOf(schema)
  if (shape !== null) return Reflect.get(shape, part)
  const definition = definitionOf(schema)
  return definition?.['element'] === undefined ? undefined : definition['element']
}

function shapeOf(schema: unknown): Record<string, unknown> | null {
  const definition = definitionOf(schema)
  const shape = definition?.['shape']
  return isRecord(shape) ? shape : null
}

/** A schema's definition under its defaults and optionals. */
function definitionOf(schema: unknown): Record<string, unknown> | null {
  let at: unknown = schema
  while (isRecord(at) && isRecord(at['def'])) {
    const definition = at['def']
    if (definition['innerType'] === undefined) return definition
    at = definition['innerType']
  }
  return null
}
