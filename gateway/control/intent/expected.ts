// What is said of a field that can't be used: what would be right, and what was found.

/** For zod, at a type and at each of its checks. @param right Such as `whole seconds, 1 to 3600`. */
export const expected = (right: string) => ({
  error: ({ input }: { readonly input?: unknown }): string => `${right}; found ${found(input)}`,
})

/** Refused requests are kept: what could be somebody's number, or be any text at all, is only named by its kind. */
function found(input: unknown): string {
  if (input === undefined) return 'nothing'
  if (input === null || typeof input === 'boolean') return String(input)
  if (typeof input === 'number') return Math.abs(input) < 1e10 ? String(input) : 'a larger number'
  if (typeof input !== 'string') return Array.isArray(input) ? 'a list' : 'an object'
  return /^(?:[a-z][a-z-]{0,19}|\d{4}-\d\d-\d\d)$/.test(input) ? `"${input}"` : 'another text'
}
