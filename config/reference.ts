// The reference of the configuration as Markdown, made from the schema, so that it can't disagree with it.
import { z } from 'zod'
import { isRecord } from './environment.ts'
import { configSchema } from './schema.ts'

interface Row {
  readonly field: string
  readonly type: string
  readonly fallback: string
  readonly range: string
  readonly doc: string
}

const head = `# Configuration reference

Made from \`config/schema.ts\` by \`npm run docs\`; do not edit by hand.

One YAML file. Every field can be set from the environment instead: \`CHIYUAN_\`, then the path in capitals, two
underscores between sections: \`CHIYUAN_LIMITS__HEADER_BYTES=32768\`. Values are read as YAML. A SIGHUP or a change of
the file takes over regions, home, resident, tokens, selection, attempts, hedging, health and headers without a restart;
\`chiyuan config check FILE\` says beforehand what is wrong with a file.

| field | type | default | range | meaning |
| --- | --- | --- | --- | --- |
`

export function configReference(): string {
  const schema: unknown = z.toJSONSchema(configSchema, { io: 'input', unrepresentable: 'any' })
  const rows = isRecord(schema) ? [...rowsOf(schema, '')] : []
  return (
    head +
    rows
      .map((row) => `| \`${row.field}\` | ${row.type} | ${row.fallback} | ${row.range} | ${row.doc} |\n`)
      .join('')
  )
}

function* rowsOf(schema: Record<string, unknown>, path: string): Generator<Row> {
  // Several forms, told apart by one field: each in turn, with that field.
  if (Array.isArray(schema['oneOf'])) {
    for (const form of schema['oneOf']) if (isRecord(form)) yield* rowsOf(form, path)
    return
  }
  const properties = schema['properties']
  if (!isRecord(properties)) return
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  for (const [name, property] of Object.entries(properties)) {
    if (!isRecord(property)) continue
    const field = path === '' ? name : `${path}.${name}`
    yield rowOf(field, property, required.includes(name))
    yield* rowsOf(property, field)
    const items = property['items']
    if (isRecord(items)) yield* rowsOf(items, `${field}[]`)
  }
}

function rowOf(field: string, schema: Record<string, unknown>, required: boolean): Row {
  const unit = typeof schema['unit'] === 'string' ? `, ${schema['unit']}` : ''
  return {
    field,
    type: `${typeOf(schema)}${unit}`,
    fallback: fallbackOf(schema, required),
    range: rangeOf(schema),
    doc: cell(words(schema['description'])),
  }
}

function typeOf(schema: Record<string, unknown>): string {
  const { type } = schema
  if (Array.isArray(schema['enum'])) return 'one of'
  if (schema['const'] !== undefined) return 'one of'
  if (Array.isArray(schema['oneOf'])) return 'section'
  if (type === 'array') return `list of ${isRecord(schema['items']) ? typeOf(schema['items']) : 'values'}`
  if (type === 'object') return isRecord(schema['properties']) ? 'section' : 'map'
  return typeof type === 'string' ? type : 'text'
}

function fallbackOf(schema: Record<string, unknown>, required: boolean): string {
  if (required) return '**required**'
  const fallback = schema['default']
  if (fallback === undefined || isRecord(fallback)) return ''
  return Array.isArray(fallback) && fallback.length === 0 ? 'none' : `\`${cell(JSON.stringify(fallback))}\``
}

function rangeOf(schema: Record<string, unknown>): string {
  if (Array.isArray(schema['enum'])) return schema['enum'].map((value) => `\`${String(value)}\``).join(', ')
  if (schema['const'] !== undefined) return `\`${words(schema['const'])}\``
  const least =
    schema['minimum'] ??
    (schema['exclusiveMinimum'] === undefined ? undefined : `above ${words(schema['exclusiveMinimum'])}`)
  const most = schema['maximum']
  if (least === undefined && most === undefined)
    return typeof schema['pattern'] === 'string' ? `\`${cell(schema['pattern'])}\`` : ''
  return `${words(least)} to ${words(most)}`
}

const cell = (text: string): string => text.replaceAll('|', '\\|')

const words = (value: unknown): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value)
