// For what a test can't be told of: asks again until it holds.

/** Runs `check` until it no longer throws; after `withinMs` throws what it threw last. */
export async function eventually(check: () => void | Promise<void>, withinMs = 2000): Promise<void> {
  const deadline = performance.now() + withinMs
  for (;;) {
    try {
      await check()
      return
    } catch (cause) {
      if (performance.now() > deadline) throw cause
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
  }
}
