// Requests made of an OpenAPI document: each operation with its roles, and requests near and far from what it takes.
import fc from 'fast-check'
import { z } from 'zod'
import { type Role, roles } from '../../gateway/model/operator.ts'

const schemaShape = z.record(z.string(), z.unknown())
type Schema = z.output<typeof schemaShape>

const operationShape = z.looseObject({
  description: z.string().default(''),
  parameters: z
    .array(
      z.looseObject({
        in: z.string(),
        name: z.string(),
        required: z.boolean().default(false),
        schema: schemaShape.default({}),
      }),
    )
    .default([]),
  responses: z.record(z.string(), z.looseObject({ content: z.record(z.string(), z.unknown()).default({}) })),
  requestBody: z
    .looseObject({ content: z.record(z.string(), z.looseObject({ schema: schemaShape })) })
    .optional(),
})
const documentShape = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), operationShape)),
  components: z.looseObject({ schemas: z.record(z.string(), schemaShape).default({}) }),
})

export interface DocumentedRequest {
  readonly method: string
  /** With `{name}` for parameters. */
  readonly path: string
  /** By the line of the description that names them. */
  readonly allowed: readonly Role[]
  /** Its name in the audit log, where it changes something. */
  readonly action: string | null
  /** Its answer goes on for as long as somebody reads it. */
  readonly isStream: boolean
  readonly parameters: z.output<typeof operationShape>['parameters']
  readonly body: Schema | null
  readonly components: Readonly<Record<string, Schema>>
}

export function listOperations(raw: unknown): DocumentedRequest[] {
  const { paths, components } = documentShape.parse(raw)
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { description, parameters, requestBody, responses }]) => {
      const [, action = null] = /^Kept in the audit log as `(.+)`\.$/m.exec(description) ?? []
      const [, named = ''] = /^For ([\w, -]+)\.$/m.exec(description) ?? []
      return {
        method,
        path,
        allowed: roles.filter((role) => named.split(', ').includes(role)),
        action,
        isStream: Object.values(responses).some(({ content }) => 'text/event-stream' in content),
        parameters,
        body: requestBody?.content['application/json']?.schema ?? null,
        components: components.schemas,
      }
    }),
  )
}

/** Some path that fits the template. */
export const pathFor = (template: string): string => template.replaceAll(/\{\w+\}/g, 'none')

export interface MadeRequest {
  readonly path: string
  readonly query: string
  readonly headers: Record<string, string>
  readonly body: string | undefined
}

const nasty = [
  '',
  ' ',
  '..',
  '../../access/tokens',
  '%',
  '%2f',
  'a/b',
  '__proto__',
  'constructor',
  'toString',
  '\u0000',
  '\u001b[31m',
  '\ud800',
  '￿',
  '😀',
  'é'.repeat(300),
  '-1',
  '1e999',
  'NaN',
  '9007199254740993',
  "'; DROP TABLE record; --",
  '<script>alert(1)</script>',
  '610100',
  '610000',
  'xian-1',
  '*',
] as const
const anyText = fc.oneof(fc.constantFrom(...nasty), fc.string({ unit: 'binary', maxLength: 40 }))
const anyValue = fc.oneof(
  anyText,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constant(null),
  fc.constant([]),
  fc.constant({}),
  fc.json().map((text): unknown => JSON.parse(text)),
)

/**
 * Requests for an operation: mostly what its schemas say, sometimes bent.
 * @param ids Of what there is, for paths.
 */
export function requestsOf(operation: DocumentedRequest, ids: readonly string[]): fc.Arbitrary<MadeRequest> {
  const { path, parameters, body, components } = operation
  const idText = fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom(...ids) },
    { weight: 1, arbitrary: anyText },
  )
  const at = (place: string) => parameters.filter((parameter) => parameter.in === place)
  const valuesOf = (place: string) =>
    fc.record(
      Object.fromEntries(at(place).map(({ name, schema }) => [name, bent(valueOf(schema, components), 8)])),
      { requiredKeys: at(place).flatMap(({ name, required }) => (required ? [name] : [])) },
    )
  const queries = fc.record({ known: valuesOf('query'), other: rarely(fc.tuple(anyText, anyText)) })
  return fc.record({
    path: fc
      .record(Object.fromEntries(at('path').map(({ name }) => [name, idText])))
      .map((values) => path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encoded(values[name] ?? 'x'))),
    query: queries.map(({ known, other }) =>
      [...Object.entries(known), ...(other === null ? [] : [other])]
        .map(([name, value]) => `${encoded(name)}=${encoded(asText(value))}`)
        .join('&'),
    ),
    headers: fc
      .record({
        known: valuesOf('header'),
        match: fc.constantFrom('*', '*', '*', '"1"', 'W/"1"', '"x"', '1', null),
      })
      .map(({ known, match }) => {
        const headers = Object.fromEntries(
          Object.entries(known).map(([name, value]) => [name, asText(value).replaceAll(/[^ -~]/g, '?')]),
        )
        if (match === null) delete headers['If-Match']
        else if ('If-Match' in headers) headers['If-Match'] = match
        return headers
      }),
    body:
      body === null
        ? fc.constant(undefined)
        : fc.oneof(
            {
              weight: 6,
              arbitrary: bent(valueOf(body, components), 8).map((value) => JSON.stringify(value)),
            },
            { weight: 1, arbitrary: anyValue.map((value) => JSON.stringify(value)) },
            {
              weight: 1,
              arbitrary: fc.constantFrom(
                '{',
                '',
                'null',
                '"x"',
                '[]',
                '{"__proto__":{"x":1}}',
                '{"reason":"\\ud800"}',
                '['.repeat(50_000) + ']'.repeat(50_000),
              ),
            },
          ),
  })
}

/** Not `encodeURIComponent`, which fails on half a surrogate pair; every byte of UTF-8 by itself. */
const encoded = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

const asText = (value: unknown): string => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''))

const rarely = <T>(arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
  fc.oneof({ weight: 8, arbitrary: fc.constant(null) }, { weight: 1, arbitrary })

/** One in `every` is something else. */
const bent = (arbitrary: fc.Arbitrary<unknown>, every: number): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: every - 1, arbitrary }, { weight: 1, arbitrary: anyValue })

/** Values that a JSON Schema allows, as far as this API's schemas go; `anyValue` where it says what is not known here. */
function valueOf(
  schema: Schema,
  components: DocumentedRequest['components'],
  depth = 0,
): fc.Arbitrary<unknown> {
  const again = (inner: unknown): fc.Arbitrary<unknown> =>
    depth > 6 ? fc.constant(null) : valueOf(schemaShape.parse(inner ?? {}), components, depth + 1)
  const { $ref: reference } = schema
  if (typeof reference === 'string') return again(components[reference.split('/').at(-1) ?? ''])
  if ('const' in schema) return fc.constant(schema['const'])
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...z.array(z.unknown()).parse(schema['enum']))
  const either = schema['anyOf'] ?? schema['oneOf']
  if (Array.isArray(either)) return fc.oneof(...either.map(again))
  const type = Array.isArray(schema['type']) ? schema['type'].find((name) => name !== 'null') : schema['type']
  if (type === 'object') return objectOf(schema, again)
  if (type === 'array') return fc.array(again(schema['items']), { maxLength: 4 })
  if (type === 'boolean') return fc.boolean()
  if (type === 'null') return fc.constant(null)
  if (type === 'integer' || type === 'number') return numberOf(schema)
  if (type === 'string') return textOf(schema)
  return anyValue
}

function objectOf(schema: Schema, again: (inner: unknown) => fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  const properties = schemaShape.parse(schema['properties'] ?? {})
  const required = z.array(z.string()).parse(schema['required'] ?? [])
  const known = fc.record(
    Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, bent(again(inner), 12)])),
    { requiredKeys: required },
  )
  return fc
    .tuple(known, rarely(fc.tuple(anyText, anyValue)), rarely(fc.nat()))
    .map(([value, extra, without]) => {
      const entries = Object.entries(value)
      if (without !== null && entries.length > 0) entries.splice(without % entries.length, 1)
      return Object.fromEntries(extra === null ? entries : [...entries, extra])
    })
}

function numberOf(schema: Schema): fc.Arbitrary<number> {
  const bound = (name: string, otherwise: number): number => {
    const value = schema[name]
    return typeof value === 'number' ? value : otherwise
  }
  const [min, max] = [bound('minimum', 0), bound('maximum', 1_000_000)]
  return fc.oneof(
    fc.integer({ min: Math.ceil(min), max: Math.max(Math.ceil(min), Math.floor(max)) }),
    fc.constantFrom(min, max, min - 1, max + 1),
  )
}

function textOf(schema: Schema): fc.Arbitrary<string> {
  const { pattern, format, example } = schema
  const likely: fc.Arbitrary<string>[] = []
  if (typeof example === 'string') likely.push(fc.constant(example))
  if (format === 'date-time') likely.push(fc.date({ noInvalidDate: true }).map((date) => date.toISOString()))
  // fast-check makes no texts for lookaheads.
  else if (typeof pattern === 'string' && !pattern.includes('(?'))
    likely.push(fc.stringMatching(new RegExp(pattern)))
  else likely.push(fc.constantFrom('a test', 'xian-1', '610100', '值班 person'))
  return fc.oneof({ weight: 6, arbitrary: fc.oneof(...likely) }, { weight: 1, arbitrary: anyText })
}
