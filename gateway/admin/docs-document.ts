// What the readable page reads of the API's document (OpenAPI 3.1).
import { z } from 'zod'

export const schemaShape = z.record(z.string(), z.unknown())
/** A JSON Schema. */
export type Schema = z.output<typeof schemaShape>

const content = z.record(z.string(), z.looseObject({ schema: schemaShape.default({}) }))
const operation = z.looseObject({
  operationId: z.string(),
  tags: z.array(z.string()).default([]),
  summary: z.string(),
  description: z.string().default(''),
  parameters: z
    .array(
      z.looseObject({
        in: z.string(),
        name: z.string(),
        required: z.boolean().default(false),
        description: z.string().default(''),
        schema: schemaShape.default({}),
      }),
    )
    .default([]),
  requestBody: z.looseObject({ content }).optional(),
  responses: z.record(z.string(), z.looseObject({ description: z.string(), content: content.optional() })),
})
export type DocumentedOperation = z.output<typeof operation>

export const readableDocument = z.looseObject({
  info: z.looseObject({ title: z.string(), version: z.string(), description: z.string() }),
  servers: z.array(z.looseObject({ url: z.string() })),
  paths: z.record(z.string(), z.record(z.string(), operation)),
  components: z.looseObject({ schemas: z.record(z.string(), schemaShape).default({}) }),
})
export type ReadableDocument = z.output<typeof readableDocument>
