// A YAML (or JSON) text as a value, and where in it each field stands, so that a fault can be shown its line.
import { type Document, LineCounter, isMap, isNode, parseDocument } from 'yaml'
import { errorText } from '../gateway/model/errors.ts'
import { ConfigError } from './problem.ts'

export interface YamlSource {
  readonly raw: unknown
  /** `file:line` of a field, or of its parent where it is missing. */
  readonly place: (path: readonly PropertyKey[]) => string
}

/**
 * @param mayQuote False where the text may hold what must stay out of an error: the parser's own words quote it.
 * @throws {ConfigError} when it is not YAML, or its aliases stand for too much.
 */
export function readYaml(text: string, file: string, mayQuote: boolean): YamlSource {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const at = (offset: number): string => `${file}:${lines.linePos(offset).line}`
  if (document.errors.length > 0) {
    throw new ConfigError(
      document.errors.map(({ pos, code, message }) => ({
        place: at(pos[0]),
        field: '',
        message: mayQuote ? `not valid YAML: ${message}` : `not valid YAML (${code})`,
      })),
    )
  }
  return { raw: valueOf(document, file, mayQuote), place: (path) => at(offsetOf(document, path)) }
}

/** Aliases may stand for each other so often that a small file becomes a huge one; then there is no value. */
function valueOf(document: Document.Parsed, file: string, mayQuote: boolean): unknown {
  try {
    return document.toJS()
  } catch (cause) {
    const why = mayQuote ? `: ${errorText(cause)}` : ''
    const message = `it can't be read${why}; write out what its aliases (*name) stand for`
    throw new ConfigError([{ place: `${file}:1`, field: '', message }])
  }
}

/** Such as `regions[0].nodes[1].id`. */
export const fieldName = (path: readonly PropertyKey[]): string =>
  path
    .map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${String(part)}`))
    .join('')

/** Where in the text the field stands; a missing one is looked for in its parent. */
function offsetOf(document: Document.Parsed, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth > 0; depth--) {
    const parent: unknown = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true)
    const key = path[depth - 1]
    if (isMap(parent)) {
      const pair = parent.items.find((item) => isNode(item.key) && String(item.key) === String(key))
      if (pair !== undefined && isNode(pair.key) && pair.key.range) return pair.key.range[0]
    }
    const found: unknown = document.getIn(path.slice(0, depth), true)
    if (isNode(found) && found.range) return found.range[0]
  }
  return 0
}
