// Registry records with their shape checked on the way out.
import type { z } from 'zod'
import { type Registry, type RegistryPage, RegistryUnavailable } from './port.ts'

export interface Versioned<T> {
  readonly value: T
  readonly version: number
}

/**
 * The record, or `null`.
 * @throws {RegistryUnavailable} Also for a record that somebody made unreadable: it is as good as lost.
 */
export async function readTyped<T>(
  registry: Pick<Registry, 'read'>,
  key: string,
  schema: z.ZodType<T>,
): Promise<Versioned<T> | null> {
  const record = await registry.read(key)
  return record === null ? null : { value: typed(schema, record.value, key), version: record.version }
}

/** @throws {RegistryUnavailable} See {@link readTyped}. */
export async function listTyped<T>(
  registry: Registry,
  prefix: string,
  schema: z.ZodType<T>,
  page: RegistryPage = {},
): Promise<Versioned<T>[]> {
  const records = await registry.list(prefix, page)
  return records.map(({ key, value, version }) => ({ value: typed(schema, value, key), version }))
}

function typed<T>(schema: z.ZodType<T>, value: unknown, key: string): T {
  const read = schema.safeParse(value)
  if (read.success) return read.data
  throw new RegistryUnavailable(`the registry's record ${key} is not readable`, { cause: read.error })
}
