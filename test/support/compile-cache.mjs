// Jest's global setup: the processes that tests start share what Node made of their modules, which halves their start.
import { fileURLToPath } from 'node:url'

/** Node keys it by the modules' own text, so nothing old is ever run. A folder that is set already is kept. */
export default function setUp() {
  process.env.NODE_COMPILE_CACHE ??= fileURLToPath(
    new URL('../../node_modules/.cache/compile', import.meta.url),
  )
}
