// Guarded changes at two gateways of one Consul: the later is judged with the earlier in force.
import { afterAll, beforeAll } from '@jest/globals'
import { type ConsulServer, describeWithConsul, startConsul } from '../support/consul.ts'
import { freshPrefix, openAt } from '../support/consul-registry.ts'
import { guardedRaces } from '../support/guarded-race.ts'

describeWithConsul('at two gateways of one Consul', () => {
  let server: ConsulServer
  beforeAll(async () => {
    server = await startConsul()
  }, 240_000)
  afterAll(async () => {
    await server[Symbol.asyncDispose]()
  })

  guardedRaces(() => {
    const prefix = freshPrefix()
    return () => openAt(server.url, { prefix })
  })
})
