// Headers as the lists of names and values that we keep, and as the objects that Node's client takes.

/** The object for a flat list: names as first spelt, repeats as lists. */
export function collect(flat: readonly string[]): Record<string, string | string[]> {
  const entries = new Map<string, [string, string | string[]]>()
  for (let i = 0; i < flat.length; i += 2) {
    const name = flat[i] ?? ''
    const value = flat[i + 1] ?? ''
    const known = entries.get(name.toLowerCase())
    if (known === undefined) entries.set(name.toLowerCase(), [name, value])
    else if (Array.isArray(known[1])) known[1].push(value)
    else known[1] = [known[1], value]
  }
  // Never by assignment: a header may be called `__proto__`.
  return Object.fromEntries(entries.values())
}

/** Parsed headers without those that a parser's type, not its result, allows to be `undefined`. */
export function definedOnly(
  headers: Readonly<Record<string, string | string[] | undefined>>,
): Record<string, string | string[]> {
  const defined: Record<string, string | string[]> = {}
  for (const [name, value] of Object.entries(headers)) if (value !== undefined) defined[name] = value
  return defined
}
