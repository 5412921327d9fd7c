// A primary that takes nothing costs a worker a bounded queue, and hears how much it missed.
import { expect, it } from '@jest/globals'
import type { Happening } from '../../gateway/model/happening.ts'
import { EventPost } from '../../gateway/workers/event-post.ts'
import { fromWorker, type FromWorker } from '../../gateway/workers/messages.ts'
import { settle } from '../support/fake-clock.ts'

const snapshot = (version: number): Happening => ({ kind: 'snapshot', version, regions: 1, nodes: 1 })

it('keeps the order, gives up the oldest beyond its bound, and says how many', async () => {
  const sent: FromWorker[] = []
  let take = (): void => {}
  const post = new EventPost((message) => {
    sent.push(fromWorker.parse(JSON.parse(JSON.stringify(message))))
    return new Promise((resolve) => (take = resolve))
  })
  for (let i = 0; i < 1000; i++) post.post(snapshot(i))
  expect(sent).toHaveLength(1)
  for (let i = 0; i < 500; i++) {
    take()
    await settle()
  }
  const versions = sent.map((message) =>
    message.type === 'event' && message.happening.kind === 'snapshot' ? message.happening.version : -1,
  )
  expect(versions).toEqual([0, ...Array.from({ length: 500 }, (_, i) => 500 + i)])
  expect(
    sent.map((message) => (message.type === 'event' ? message.lost : -1)).filter((lost) => lost > 0),
  ).toEqual([499])
})
