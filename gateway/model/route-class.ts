// What kind of request it is, as far as it matters who is served first.

/**
 * - `critical`: to show a code, to verify at a checkpoint.
 * - `important`: test results, registering for a test.
 * - `deferrable`: history, bulk.
 */
export type RouteClass = 'critical' | 'important' | 'deferrable'

/** Most important first. */
export const routeClasses: readonly RouteClass[] = ['critical', 'important', 'deferrable']
