// The API's contract, OpenAPI 3.1, made of the declarations that also read requests and check who may.
import { z } from 'zod'
import { createDocument, type ZodOpenApiOperationObject, type ZodOpenApiPathItemObject } from 'zod-openapi'
import { rolesFor } from '../policy/access.ts'
import { apiRoot } from './dispatch.ts'
import { type AdminRoute, type Declared, type Method, noBody } from './operation.ts'
import { type ProblemName, problems, problemSchema } from './problem.ts'

/** Of the contract, not of the release. */
const contractVersion = '1.0.0'

/** What every operation may answer. */
const usual: readonly ProblemName[] = [
  'malformed',
  'unauthenticated',
  'forbidden',
  'too-many-attempts',
  'too-many-requests',
  'internal',
  'unavailable',
]

export function openApiDocument(routes: readonly AdminRoute[]): object {
  return createDocument({
    openapi: '3.1.1',
    info: {
      title: 'Chiyuan 驰援: the operators’ API',
      version: contractVersion,
      description:
        'What operators see and decide. Every change needs a reason, is kept in the audit log, and reaches residents’ ' +
        'traffic at once. Times are RFC 3339 in UTC; regions are GB/T 2260 codes of six digits.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: apiRoot }],
    security: [{ token: [] }, { session: [] }],
    paths: Object.fromEntries(
      routes.map(({ path, methods }) => [path.replaceAll(/:(\w+)/g, '{$1}'), pathItem(path, methods)]),
    ),
    components: {
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-chiyuan' },
      },
    },
  })
}

function pathItem(path: string, methods: AdminRoute['methods']): ZodOpenApiPathItemObject {
  const [, tag = ''] = path.split('/')
  const item: ZodOpenApiPathItemObject = {}
  for (const method of ['get', 'post', 'put', 'patch', 'delete'] as const) {
    const declared = methods[method]
    if (declared !== undefined) item[method] = operationObject(declared, tag, idOf(method, path))
  }
  return item
}

const idOf = (method: Method, path: string): string =>
  method + path.replaceAll(/[/:-]+(\w?)/g, (_, letter: string) => letter.toUpperCase())

function operationObject({ docs }: Declared, tag: string, operationId: string): ZodOpenApiOperationObject {
  const { summary, description, permission, answer, action } = docs
  const who = `For ${rolesFor(permission).join(', ')}.`
  return {
    operationId,
    tags: [tag],
    summary,
    description: [description, who, action && `Kept in the audit log as \`${action}\`.`]
      .filter(Boolean)
      .join('\n\n'),
    requestParams: { path: docs.params, query: docs.query, header: headersOf(docs) },
    ...(docs.body !== noBody && {
      requestBody: { required: true, content: { 'application/json': { schema: docs.body } } },
    }),
    responses: {
      [answer.status]: {
        description: summary,
        ...(answer.schema && {
          content: {
            [answer.type ?? 'application/json']: { schema: answer.schema },
            ...Object.fromEntries((answer.texts ?? []).map((type) => [type, { schema: z.string() }])),
          },
        }),
      },
      ...problemResponses(problemsOf(docs)),
    },
  }
}

const headersOf = ({ needsMatch, idempotent }: Declared['docs']): z.ZodObject =>
  z.object({
    ...(needsMatch && { 'If-Match': z.string().describe('ETag of what you saw, or `*`.') }),
    ...(idempotent && {
      'Idempotency-Key': z
        .string()
        .regex(/^[!-~]{1,255}$/)
        .optional()
        .describe('A repeat under one key, within a day, gets the first answer and changes nothing.'),
    }),
  })

const problemsOf = (docs: Declared['docs']): ProblemName[] => [
  ...usual,
  'invalid',
  ...(Object.keys(docs.params.shape).length > 0 ? (['not-found'] as const) : []),
  ...(docs.body === noBody ? [] : (['too-large', 'unsupported-media-type'] as const)),
  ...(docs.needsMatch ? (['match-required', 'stale'] as const) : []),
  ...(docs.idempotent ? (['key-reused', 'stale'] as const) : []),
  ...(docs.problems ?? []),
]

function problemResponses(names: readonly ProblemName[]): ZodOpenApiOperationObject['responses'] {
  const byStatus = Map.groupBy(new Set(names), (name) => String(problems[name][0]))
  return Object.fromEntries(
    [...byStatus].map(([status, ofStatus]) => [
      status,
      {
        description: ofStatus.map((name) => `\`${name}\`: ${problems[name][1]}`).join('; '),
        content: { 'application/problem+json': { schema: problemSchema } },
      },
    ]),
  )
}
