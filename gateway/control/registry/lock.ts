// A lock that one of several gateways holds: who does what must be done once. It stands beside the records it guards.
import { type Registry, RegistryUnavailable } from './port.ts'

/** Somebody else has the lock, or may have it; nothing was written. */
export class LockLost extends RegistryUnavailable {}

/** Tries to have the lock from its making until it is disposed of, which lets it go at once. */
export interface Lock extends AsyncDisposable {
  /** Whether this process has it now. While it says so nobody else can have got it but by {@link depose}. */
  readonly isHeld: boolean
  /** Why it can't even be tried, in words; else `null`. */
  readonly trouble: string | null
  /** The same records. Commits throw {@link LockLost}, and write nothing, unless the lock is held at that moment. */
  readonly registry: Registry
  /**
   * Takes it away from whoever else has it, who is found to do nothing. To be had it is for whoever comes first.
   * @throws {RegistryUnavailable}
   */
  depose(): Promise<void>
}

/** The lock where one process has the registry for itself. */
export function soleLock(registry: Registry): Lock {
  let isHeld = true
  return {
    get isHeld() {
      return isHeld
    },
    trouble: null,
    registry: guarded(registry, (changes) => {
      if (!isHeld) throw new LockLost('the lock was let go')
      return registry.commit(changes)
    }),
    depose: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => {
      isHeld = false
      return Promise.resolve()
    },
  }
}

/** The same registry with another way to commit. It is not to be disposed of. */
export const guarded = (
  registry: Registry,
  commit: (...args: Parameters<Registry['commit']>) => ReturnType<Registry['commit']>,
): Registry => ({
  list: (prefix, page) => registry.list(prefix, page),
  read: (key) => registry.read(key),
  commit: async (changes) => commit(changes),
  watch: (changed, lost, prefix) => registry.watch(changed, lost, prefix),
  lock: (name, holder) => registry.lock(name, holder),
  [Symbol.asyncDispose]: () => Promise.resolve(),
})
