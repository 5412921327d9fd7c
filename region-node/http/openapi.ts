// GET /openapi.json: the node's contract, OpenAPI 3.1, made of the schemas that read requests and describe answers.
import { z } from 'zod'
import { residentIdSchema } from '../resident.ts'
import { problemAnswer } from './answers.ts'
import { STATUS_MEANINGS } from './problem.ts'
import { sendText } from './reply.ts'
import type { Operation, Route } from './routes.ts'

/** Of the contract, not of the release: it grows when what clients may rely on does. */
const CONTRACT_VERSION = '1.0.0'
const DOCUMENT = z.looseObject({})

export function openApiRoute(routes: readonly Route[]): Route {
  // Made when first asked for: most nodes never are.
  let text: string | undefined
  const route: Route = {
    path: '/openapi.json',
    get: (_req, res) => {
      text ??= JSON.stringify(openApiDocument([...routes, route]))
      sendText(res, 200, text, 'application/json', { 'cache-control': 'public, max-age=300' })
    },
    docs: { get: { summary: 'This document', answer: DOCUMENT, problems: [] } },
  }
  return route
}

export function openApiDocument(routes: readonly Route[]) {
  const schemas: Record<string, unknown> = {}
  const paths: Record<string, object> = {}
  for (const route of routes) paths[route.path.replaceAll(/:(\w+)/g, '{$1}')] = pathItem(route, schemas)
  return {
    openapi: '3.1.1',
    info: {
      title: 'A node of a region’s code service',
      version: CONTRACT_VERSION,
      description:
        'Terms aligned with GB/T 38961 to 38963-2020. All data are synthetic. ' +
        'A full node answers any operation but the health ones with 503 and Retry-After.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: { schemas, securitySchemes: { terminal: { type: 'http', scheme: 'bearer' } } },
  }
}

function pathItem({ path, get, post, docs }: Route, schemas: Record<string, unknown>) {
  const parameters = [...path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: jsonSchema(residentIdSchema, schemas),
  }))
  return {
    ...(get && docs.get && { get: operation(docs.get, parameters, schemas) }),
    ...(post && docs.post && { post: operation(docs.post, parameters, schemas) }),
  }
}

function operation(
  { summary, query, body, answer, type, status = 200, problems, idempotencyKey, terminalsOnly }: Operation,
  pathParameters: readonly object[],
  schemas: Record<string, unknown>,
) {
  const parameters = [...pathParameters, ...queryParameters(query, schemas), ...keyParameter(idempotencyKey)]
  const content = (type: string, schema: z.ZodType, io: 'input' | 'output' = 'output') => ({
    content: { [type]: { schema: jsonSchema(schema, schemas, io) } },
  })
  const problem = content('application/problem+json', problemAnswer)
  return {
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(body && { requestBody: { required: true, ...content('application/json', body, 'input') } }),
    responses: {
      [status]: { description: summary, ...content(type ?? 'application/json', answer) },
      ...Object.fromEntries(
        problems.map((code) => [code, { description: STATUS_MEANINGS[code], ...problem }]),
      ),
    },
    ...(terminalsOnly && { security: [{ terminal: [] }] }),
  }
}

const queryParameters = (query: z.ZodObject | undefined, schemas: Record<string, unknown>): object[] =>
  Object.entries(query?.shape ?? {}).map(([name, schema]) => ({
    name,
    in: 'query',
    required: false,
    schema: jsonSchema(schema, schemas, 'input'),
  }))

const keyParameter = (wanted: Operation['idempotencyKey']): object[] =>
  wanted === undefined
    ? []
    : [
        {
          name: 'Idempotency-Key',
          in: 'header',
          required: wanted === 'required',
          description: 'A repeat under one key, within a day, gets the first answer and changes nothing.',
          schema: { type: 'string', pattern: '^("[!#-~]{1,255}"|[!#-~]{1,255})$' },
        },
      ]

/** Schemas with an id go to the document's components, and a reference stands in their place. */
function jsonSchema(
  schema: z.core.$ZodType,
  schemas: Record<string, unknown>,
  io: 'input' | 'output' = 'output',
): object {
  const {
    $schema: _dialect,
    $defs,
    ...made
  } = DOCUMENT.parse(
    JSON.parse(
      JSON.stringify(z.toJSONSchema(schema, { io, override: dropPattern })).replaceAll(
        '#/$defs/',
        '#/components/schemas/',
      ),
    ),
  )
  Object.assign(schemas, $defs)
  return made
}

// Beside `format: date-time` zod puts a pattern of six hundred characters that says the same.
const dropPattern = ({ jsonSchema }: { jsonSchema: z.core.JSONSchema.BaseSchema }): void => {
  if (jsonSchema.format !== undefined) delete jsonSchema.pattern
}
