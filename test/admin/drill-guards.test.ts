// Guards of drills by the API, and of all guarded changes where two gateways share a registry.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe } from '@jest/globals'
import { openEmbeddedRegistry } from '../../gateway/control/registry/embedded.ts'
import { guardedRaces } from '../support/guarded-race.ts'

describe('at two gateways of one registry file', () => {
  let directory = ''
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'chiyuan-guards-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  guardedRaces(() => () => openEmbeddedRegistry(join(directory, 'registry.db')))
})
