// Which class a request is of, by method and path.
import type { RouteClass } from '../model/route-class.ts'
import { routeClasses } from '../model/route-class.ts'

export interface RouteRule {
  /** All where it is left out. */
  readonly methods?: readonly string[] | undefined
  /** `*` stands for one segment, `**` at the end for any rest. */
  readonly path: string
}

export interface ClassSettings {
  readonly routes: readonly RouteRule[]
  readonly coalesce: boolean
  readonly lastGood: boolean
}

/** A request's class and what the class opted in to. */
export interface Classified {
  readonly name: RouteClass
  readonly coalesce: boolean
  readonly lastGood: boolean
}

export type Classify = (method: string, pathAndQuery: string) => Classified

/** The more important class wins where two name a request. */
export function classifier(
  classes: Readonly<Record<RouteClass, ClassSettings>>,
  otherwise: RouteClass,
): Classify {
  const ofClass = (name: RouteClass): Classified => {
    const { coalesce, lastGood } = classes[name]
    return { name, coalesce, lastGood }
  }
  const fallback = ofClass(otherwise)
  const rules = routeClasses.flatMap((name) => {
    const classified = ofClass(name)
    return classes[name].routes.map(({ methods, path }) => ({
      methods: methods === undefined ? null : new Set(methods),
      path: pattern(path),
      classified,
    }))
  })
  return (method, pathAndQuery) => {
    const query = pathAndQuery.indexOf('?')
    const path = query === -1 ? pathAndQuery : pathAndQuery.slice(0, query)
    for (const rule of rules) {
      if ((rule.methods === null || rule.methods.has(method)) && rule.path.test(path)) return rule.classified
    }
    return fallback
  }
}

function pattern(path: string): RegExp {
  const rest = path.endsWith('/**')
  const segments = (rest ? path.slice(0, -3) : path)
    .split('/')
    .map((segment) => (segment === '*' ? '[^/]+' : segment.replace(/[$()+.?[\\\]^{|}]/g, '\\$&')))
  return new RegExp(`^${segments.join('/')}${rest ? '(?:/.*)?' : ''}$`)
}
