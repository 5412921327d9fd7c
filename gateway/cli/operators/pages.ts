// Lists that come in pages: read to their end, and shown as one.
import { z } from 'zod'
import type { Answer, AdminClient } from './client.ts'

const pageSize = 500
const page = z.object({ items: z.array(z.unknown()), next: z.union([z.string(), z.number()]).nullable() })

/**
 * @param path With a query or without.
 * @returns All items; `text` is what the API would answer, had it no pages.
 * @throws {CommandFailure}
 */
export async function allPages<T>(
  client: AdminClient,
  path: string,
  item: z.ZodType<T>,
): Promise<Pick<Answer<T[]>, 'value' | 'text'>> {
  const raw: unknown[] = []
  const value: T[] = []
  const answer = z.object({ items: z.array(item) })
  for (let after = ''; ;) {
    const more = { limit: String(pageSize), ...(after !== '' && { after }) }
    const { text } = await client.get(withQuery(path, more), answer)
    const { items, next } = page.parse(JSON.parse(text))
    raw.push(...items)
    value.push(...answer.parse({ items }).items)
    if (next === null) return { value, text: JSON.stringify({ items: raw, next: null }) }
    after = String(next)
  }
}

/** @param query What is `undefined` stays out. */
export function withQuery(path: string, query: Readonly<Record<string, string | undefined>>): string {
  const given = Object.entries(query).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${encodeURIComponent(value)}`],
  )
  return given.length === 0 ? path : `${path}${path.includes('?') ? '&' : '?'}${given.join('&')}`
}
