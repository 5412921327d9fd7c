// Two gateways' operators' planes on one registry that both come to write at one moment, each judged without the other's.
import type { DrillMeasured } from '../../gateway/control/drills/parts.ts'
import type { Registry } from '../../gateway/control/registry/port.ts'
import type { Readings } from '../../gateway/model/readings.ts'
import type { Region } from '../../gateway/model/region.ts'
import { MeasuresInTheMaking } from '../../gateway/policy/drill-measure.ts'
import { type Api, openApi } from './operators.ts'

export interface TwoPlanes extends AsyncDisposable {
  readonly one: Api
  readonly two: Api
  /** An admin's, that both know. */
  readonly token: string
  /** The next guarded write of each waits until the other has come as far. */
  meet(): void
}

/** Measures nothing, without end. */
export const calm: DrillMeasured = {
  read: () => Promise.resolve(new MeasuresInTheMaking(Date.now()).read(Date.now())),
  isInForce: () => Promise.resolve(false),
}

export async function openTwoPlanes(
  open: () => Registry,
  regions: readonly Region[],
  readings: Readings,
): Promise<TwoPlanes> {
  let waiting: Promise<void> | null = null
  let bothCame = (): void => {}
  let coming = 0
  const meeting = (registry: Registry): Registry => {
    let isPast = true
    meets.push(() => (isPast = false))
    return {
      list: (prefix, page) => registry.list(prefix, page),
      read: (key) => registry.read(key),
      async commit(changes) {
        if (!isPast && changes.some(({ key }) => key.startsWith('intent/'))) {
          isPast = true
          coming += 1
          if (coming === 2) bothCame()
          await waiting
        }
        return registry.commit(changes)
      },
      watch: (changed, lost, prefix) => registry.watch(changed, lost, prefix),
      lock: (name, holder) => registry.lock(name, holder),
      [Symbol.asyncDispose]: () => registry[Symbol.asyncDispose](),
    }
  }
  const meets: (() => void)[] = []
  const started = new AsyncDisposableStack()
  const one = started.use(await openApi(regions, meeting(open()), readings, undefined, calm))
  const token = one.admin
  const two = started.use(await openApi(regions, meeting(open()), readings, undefined, calm))
  return {
    one,
    two,
    token,
    meet() {
      coming = 0
      waiting = new Promise((resolve) => (bothCame = resolve))
      for (const meet of meets) meet()
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}
