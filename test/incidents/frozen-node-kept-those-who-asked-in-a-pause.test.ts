// While the process saved itself no second try was made, and none was thought of again: whoever had asked a node that was
// frozen just then waited for the whole deadline of an attempt, though the node had long been known to be silent.
import { connect } from 'node:net'
import { expect, it } from '@jest/globals'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { httpUpstream, named } from '../support/upstream.ts'

it('a silent node is left, also by a process that saves itself', async () => {
  await using frozen = await httpUpstream(() => {})
  await using neighbour = await httpUpstream(named('neighbour'))
  await using edge = await startTestGateway(
    [
      { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': frozen.url } },
      { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
    ],
    {
      hedging: { enabled: true },
      health: { intervalMs: 60_000, fastIntervalMs: 60_000 },
      // A few connections are reason enough.
      limits: { connections: 40 },
      protection: { connectionShare: { eased: 0.1, shedding: 0.9, closed: 1 } },
    },
  )
  const idle = Array.from({ length: 8 }, () => connect(edge.port, '127.0.0.1'))
  using _idle = {
    [Symbol.dispose]: () => {
      for (const socket of idle) socket.destroy()
    },
  }
  await eventually(async () => expect(await edge.metric('chiyuan_protection_level')).toBe(1))
  const startedAt = performance.now()
  const answers = await Promise.all(
    Array.from({ length: 8 }, async (_, i) => (await fetch(`${edge.url}/v1/codes/R${i}`)).text()),
  )
  expect(new Set(answers)).toEqual(new Set(['neighbour']))
  expect(performance.now() - startedAt).toBeLessThan(edge.config.attempts.attemptTimeoutMs)
}, 30_000)
