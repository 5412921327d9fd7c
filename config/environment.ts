// Overrides from the environment: CHIYUAN_PUBLIC__PORT=8080 sets public.port.
import { parse } from 'yaml'
import { errorText } from '../gateway/model/errors.ts'
import type { ConfigProblem } from './problem.ts'

const prefix = 'CHIYUAN_'

/** Of the command line, which may run in the same shell: no fields, and their values are nothing to quote. */
const ofTheCommandLine = new Set([
  'CHIYUAN_URL',
  'CHIYUAN_TOKEN',
  'CHIYUAN_TOKEN_FILE',
  'CHIYUAN_KEY_PASSPHRASE',
])

export interface Overrides {
  /** Name of the variable that set a field, by the field's dotted path. */
  readonly setBy: ReadonlyMap<string, string>
  readonly problems: readonly ConfigProblem[]
}

/**
 * Puts every `CHIYUAN_...` variable into `target`. Two underscores step into a section, one joins words:
 * `CHIYUAN_LIMITS__HEADER_BYTES` is `limits.headerBytes`. Values are read as YAML, so lists work too.
 */
export function applyEnvironment(target: Record<string, unknown>, env: NodeJS.ProcessEnv): Overrides {
  const setBy = new Map<string, string>()
  const problems: ConfigProblem[] = []
  for (const [name, text] of Object.entries(env)) {
    if (!name.startsWith(prefix) || ofTheCommandLine.has(name) || text === undefined) continue
    const path = name.slice(prefix.length).split('__').map(camelCase)
    if (path.some((part) => part === '')) {
      problems.push({ place: name, field: '', message: 'not a field name; write CHIYUAN_SECTION__FIELD' })
      continue
    }
    try {
      put(target, path, parse(text))
      setBy.set(path.join('.'), name)
    } catch (cause) {
      const why = errorText(cause).split('\n')[0] ?? ''
      problems.push({
        place: name,
        field: path.join('.'),
        message: `its value is not readable as YAML: ${why}`,
      })
    }
  }
  return { setBy, problems }
}

function put(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path
  if (head === undefined) return
  if (rest.length === 0) {
    target[head] = value
    return
  }
  const section = target[head]
  const inner: Record<string, unknown> = isRecord(section) ? section : {}
  target[head] = inner
  put(inner, rest, value)
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const camelCase = (upper: string): string =>
  upper.toLowerCase().replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
