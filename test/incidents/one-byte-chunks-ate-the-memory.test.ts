// Each chunk of a body was kept as a buffer of its own, and only the bytes in it were counted: 64,000 chunks of one byte
// cost 20 MB, so that 45 connections ended a gateway before any node had been asked.
import { EventEmitter } from 'node:events'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from '@jest/globals'
import { takeBody } from '../../gateway/edge/body.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: unknown = runInNewContext('gc')

function memoryNow(): number {
  if (typeof collectGarbage === 'function') collectGarbage()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

it('a body in parts of one byte costs about what it says', async () => {
  const atMost = 65_536
  const requests = Array.from({ length: 10 }, () => new IncomingMessage(new Socket()))
  const before = memoryNow()
  const taken = requests.map((request) => takeBody(request, atMost, 60_000))
  for (const request of requests) {
    for (let i = 0; i < atMost; i++) EventEmitter.prototype.emit.call(request, 'data', Buffer.from([i % 256]))
  }
  expect(memoryNow() - before).toBeLessThan(10 * 300_000)
  for (const request of requests) request.emit('end')
  const expected = Buffer.from(Array.from({ length: atMost }, (_, i) => i % 256))
  for (const body of await Promise.all(taken)) expect(body).toEqual({ kind: 'whole', body: expected })
})

it('one that outgrows what is kept is put back whole, whatever its parts', async () => {
  const request = new IncomingMessage(new Socket())
  const taken = takeBody(request, 10, 60_000)
  for (const part of ['ab', 'c', 'defghij', 'klm']) request.emit('data', Buffer.from(part))
  expect(await taken).toEqual({ kind: 'long' })
  expect(request.read()).toEqual(Buffer.from('abcdefghijklm'))
})
