// What happens to a real gateway is told to its operators, in order; by several workers, once.
import { expect, it } from '@jest/globals'
import type { Happening } from '../../gateway/model/happening.ts'
import { holdPrefix } from '../../gateway/control/intent/holds.ts'
import { modeKey } from '../../gateway/control/intent/mode.ts'
import { compareAndSet } from '../../gateway/control/registry/port.ts'
import { eventually } from '../support/eventually.ts'
import { startTestGateway } from '../support/gateway.ts'
import { aHold, putHold } from '../support/holds.ts'
import { httpUpstream, named } from '../support/upstream.ts'

const short = (happening: Happening): string => {
  if (happening.kind === 'health') return `${happening.node} ${happening.health}`
  if (happening.kind === 'hold') return `${happening.hold.id} ${happening.step}`
  if (happening.kind === 'mode') return happening.mode
  if (happening.kind === 'shift') return `${happening.home} by ${happening.level} ${happening.region}`
  return happening.kind
}

it('a death, a failover, holds and a mode', async () => {
  await using home = await httpUpstream(named('home'))
  await using neighbour = await httpUpstream(named('neighbour'))
  await using edge = await startTestGateway([
    { code: '610100', neighbours: ['610400'], nodes: { 'xian-1': home.url } },
    { code: '610400', nodes: { 'xianyang-1': neighbour.url } },
  ])
  const { events, registry } = edge.gateway
  const told = (): string[] => events.recent().map(({ happening }) => short(happening))
  const ask = async (): Promise<string> => (await fetch(`${edge.url}/v1/codes/R1`)).text()
  expect(await ask()).toBe('home')
  await eventually(() => expect(told()).toContain('xian-1 up'))
  await home.close()
  while ((await ask()) !== 'neighbour');
  // Whom a home is served by is told of its requests.
  await eventually(async () => {
    await ask()
    expect(told()).toContain('610100 by neighbour 610400')
  }, 8000)
  await eventually(() => expect(told()).toContain('xian-1 down'), 8000)

  const hold = aHold('xianyang-1', 'bypass', Date.now() + 60_000)
  await putHold(registry, hold)
  await eventually(() => expect(told()).toContain('hold-xianyang-1 put'))
  await compareAndSet(registry, holdPrefix + hold.id, { ...hold, expiresAt: Date.now() + 90_000 }, 1)
  await eventually(() => expect(told()).toContain('hold-xianyang-1 changed'))
  await compareAndSet(registry, holdPrefix + hold.id, null, 2)
  await eventually(() => expect(told()).toContain('hold-xianyang-1 ended'))
  await putHold(registry, { ...aHold('xian-1', 'trip', Date.now() + 300), id: 'short' })
  await eventually(() => expect(told()).toContain('short expired'))
  const setting = { mode: 'emergency', owner: 'test', reason: 'a test', setAt: 1 }
  await compareAndSet(registry, modeKey, setting, 0)
  await eventually(() => expect(told()).toContain('emergency'))
  expect(told().filter((one) => one.startsWith('short'))).toEqual(['short put', 'short expired'])
  // What is kept tells nothing of who asked.
  expect(JSON.stringify(events.recent())).not.toContain('/v1/codes')
})
