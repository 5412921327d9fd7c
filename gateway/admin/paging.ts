// Long lists in pages: so many at once, after a cursor that the page before has named.
import { z } from 'zod'

export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(500).default(100).describe('Items at the most.'),
  after: z.string().max(200).optional().describe('`next` of the page before.'),
})

export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    next: z.string().nullable().describe('Pass it as `after` for what follows; null at the end.'),
  })

/** @param items In the order of their keys. */
export function page<T>(
  items: readonly T[],
  { limit, after }: { readonly limit: number; readonly after?: string | undefined },
  keyOf: (item: T) => string,
): { items: readonly T[]; next: string | null } {
  const rest = after === undefined ? items : items.filter((item) => keyOf(item) > after)
  const shown = rest.slice(0, limit)
  const last = shown.at(-1)
  return { items: shown, next: rest.length > limit && last !== undefined ? keyOf(last) : null }
}
