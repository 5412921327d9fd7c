// JSON Schemas for readers: a row for each field, its type and rules in words, and an example.
import { z } from 'zod'
import { type Schema, schemaShape } from './docs-document.ts'
import { Html, html, inline, label } from './docs-html.ts'

const deepest = 4

interface Row {
  readonly field: string
  readonly required: boolean
  readonly schema: Schema
}

/** Fields as a table; what is no object, in one line. */
export function schemaTable(schema: Schema, caption: Html): Html {
  const rows = [...rowsOf(schema, '', 0)]
  if (rows.length === 0) return html`<p>${caption}: ${typeOf(schema)}${rulesOf(schema)}</p>`
  return html`<table>
    <caption>
      ${caption}
    </caption>
    <thead>
      <tr>
        <th scope="col">${label('字段', 'Field')}</th>
        <th scope="col">${label('类型', 'Type')}</th>
        <th scope="col">${label('含义', 'Meaning')}</th>
      </tr>
    </thead>
    <tbody>
      ${rows.map(rowHtml)}
    </tbody>
  </table>`
}

export const rowHtml = ({ field, required, schema }: Row): Html =>
  html`<tr>
    <th scope="row">
      <code>${field}</code>${required ? html` <span class="must">${label('必填', 'required')}</span>` : null}
    </th>
    <td>${typeOf(schema)}${rulesOf(schema)}</td>
    <td>${inline(textOf(schema['description']))}</td>
  </tr>`

function* rowsOf(schema: Schema, path: string, depth: number): Generator<Row> {
  const properties = recordOf(schema['properties'])
  const required = namesOf(schema['required'])
  for (const [name, raw] of Object.entries(properties)) {
    const property = schemaShape.catch({}).parse(raw)
    const field = path === '' ? name : `${path}.${name}`
    yield { field, required: required.includes(name), schema: property }
    if (depth >= deepest) continue
    yield* rowsOf(property, field, depth + 1)
    yield* rowsOf(recordOf(property['items']), `${field}[]`, depth + 1)
    for (const either of alternativesOf(property)) yield* rowsOf(either, field, depth + 1)
  }
}

function typeOf(schema: Schema): Html {
  const { $ref: reference, type } = schema
  if (typeof reference === 'string') {
    const name = reference.split('/').at(-1) ?? ''
    return html`<a href="#schema-${name}">${name}</a>`
  }
  if ('const' in schema) return html`<code>${JSON.stringify(schema['const'])}</code>`
  const values = schema['enum']
  if (Array.isArray(values)) return joined(values.map((value) => html`<code>${JSON.stringify(value)}</code>`))
  const either = alternativesOf(schema)
  if (either.length > 0) return joined(either.map(typeOf))
  if (type === 'array') return html`${label('列表', 'list of')} ${typeOf(recordOf(schema['items']))}`
  const names = Array.isArray(type) ? type : [type]
  return html`${names.filter((name) => typeof name === 'string').join(' | ') || 'any'}`
}

const joined = (parts: readonly Html[]): Html => new Html(parts.map(({ text }) => text).join(' | '))

function rulesOf(schema: Schema): Html {
  const bounds = [
    [schema['minimum'], schema['maximum'], ''],
    [schema['minLength'], schema['maxLength'], ' 字符 characters'],
    [schema['minItems'], schema['maxItems'], ' 项 items'],
  ] as const
  const rules = bounds
    .filter(([least, most]) => typeof least === 'number' || isBound(most))
    .map(([least, most, unit]) => `${textOf(least ?? '')} … ${isBound(most) ? textOf(most) : ''}${unit}`)
  // What has a name needs no pattern.
  const form = schema['format'] ?? schema['pattern']
  if (typeof form === 'string') rules.push(form)
  if (schema['default'] !== undefined) rules.push(`默认 default ${JSON.stringify(schema['default'])}`)
  return rules.length === 0 ? html`` : html`<br /><small>${rules.join('; ')}</small>`
}

/** What zod writes for an integer without bounds of its own says nothing to a reader. */
const isBound = (value: unknown): boolean =>
  typeof value === 'number' && Math.abs(value) < Number.MAX_SAFE_INTEGER

/** A value that shows the form; not one that would be taken as it is. */
export function exampleOf(schema: Schema, schemas: Readonly<Record<string, Schema>>, depth = 0): unknown {
  const again = (inner: Schema): unknown => (depth > deepest ? null : exampleOf(inner, schemas, depth + 1))
  const { $ref: reference, example, default: fallback, type } = schema
  if (typeof reference === 'string') return again(schemas[reference.split('/').at(-1) ?? ''] ?? {})
  if (example !== undefined) return example
  if ('const' in schema) return schema['const']
  if (Array.isArray(schema['enum'])) return z.array(z.unknown()).parse(schema['enum'])[0]
  const [first] = alternativesOf(schema)
  if (first !== undefined) return again(first)
  if (fallback !== undefined && fallback !== null) return fallback
  if (type === 'object') {
    const properties = Object.entries(recordOf(schema['properties']))
    const required = namesOf(schema['required'])
    return Object.fromEntries(
      properties
        .filter(([name]) => required.includes(name))
        .map(([name, inner]) => [name, again(schemaShape.catch({}).parse(inner))]),
    )
  }
  if (type === 'array') return [again(recordOf(schema['items']))]
  if (type === 'integer' || type === 'number') return schema['minimum'] ?? 1
  if (type === 'boolean') return true
  return '…'
}

const alternativesOf = (schema: Schema): Schema[] => {
  const either = schema['anyOf'] ?? schema['oneOf']
  return Array.isArray(either) ? either.map((inner) => schemaShape.catch({}).parse(inner)) : []
}

const recordOf = (value: unknown): Schema => schemaShape.catch({}).parse(value)
const namesOf = (value: unknown): string[] => z.array(z.string()).catch([]).parse(value)
const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)
