// Who may do what, and where.
import type { RegionId } from '../model/ids.ts'
import { type Operator, type Permission, type RegionScope, type Role, roles } from '../model/operator.ts'

const allowed: Readonly<Record<Role, readonly Permission[]>> = {
  viewer: ['read'],
  operator: ['read', 'hold', 'set-mode', 'enrol'],
  approver: ['read', 'approve'],
  'drill-lead': ['read', 'drill'],
  admin: ['read', 'hold', 'set-mode', 'enrol', 'approve', 'drill', 'manage-tokens'],
}

/** Whether one of the operator's roles allows it, wherever. */
export const permits = (operator: Pick<Operator, 'roles'>, permission: Permission): boolean =>
  operator.roles.some((role) => allowed[role].includes(permission))

/** Roles that allow it, for whoever is told that they lack one. */
export const rolesFor = (permission: Permission): Role[] =>
  roles.filter((role) => allowed[role].includes(permission))

/**
 * Whether a scope takes in a division: itself, or one above it by GB/T 2260, whose codes nest two digits at a time
 * (610000 holds 610100, which holds 610102).
 */
export const covers = (scope: RegionScope, region: RegionId): boolean =>
  scope === '*' || scope.some((code) => region.startsWith(prefixOf(code)))

/** Whether everything that `inner` takes in is taken in by `outer`. */
export const coversAll = (outer: RegionScope, inner: RegionScope): boolean =>
  outer === '*' || (inner !== '*' && inner.every((code) => covers(outer, code)))

const prefixOf = (code: RegionId): string => code.replace(/(?:00){1,2}$/, '')
