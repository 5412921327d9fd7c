import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { CLI, RESIDENT, runToEnd, spawnNode, startTestNode, temporaryFolder } from './running-node.ts'
import { beginSlowPost } from './slow-post.ts'

const SAMPLE = { residentId: RESIDENT, result: 'negative', sampledAt: '2022-01-04T09:00:00+08:00' }

/** Resolves when nothing listens on the port any more. */
async function refusesConnections(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    const accepted = await once(socket, 'connect').then(
      () => true,
      () => false,
    )
    socket.destroy()
    if (!accepted) return
  }
}

describe('the region-node process', () => {
  it('says in one line that it is ready, and where', async () => {
    await using node = await spawnNode('--name', 'xian-1', '--notice-ms', '0')
    node.child.kill('SIGINT')
    expect(await node.ended).toStrictEqual([0, null])
    expect(await node.stdout).toBe(`region-node xian-1 (610100) listening on ${node.url}\n`)
  })

  it('says it in JSON when asked to', async () => {
    await using node = await spawnNode('--log-json', '--notice-ms', '0')
    node.child.kill('SIGTERM')
    await node.ended
    expect(JSON.parse(await node.stdout)).toMatchObject({ node: '610100-1', port: node.port, url: node.url })
  })

  it('answers the request in flight when it is told to stop, then exits 0', async () => {
    await using node = await spawnNode('--notice-ms', '0')
    const post = await beginSlowPost(`${node.url}/v1/tests`, SAMPLE)
    node.child.kill('SIGTERM')
    await refusesConnections(node.port)
    const { status, body } = await post.finish()
    expect(status).toBe(201)
    expect(body).toMatchObject({ result: 'negative' })
    expect(await node.ended).toStrictEqual([0, null])
  })

  it('says on /readyz that it is going while it still serves, and a second signal ends it at once', async () => {
    await using node = await spawnNode('--notice-ms', '60000')
    node.child.kill('SIGTERM')
    let ready = await request(node.url).get('/readyz')
    while (ready.status === 200) ready = await request(node.url).get('/readyz')
    expect(ready.body.failed).toStrictEqual([{ check: 'draining', detail: 'the node is shutting down' }])
    const served = await request(node.url).get(`/v1/codes/${RESIDENT}`)
    expect([served.status, served.headers['connection']]).toStrictEqual([200, 'close'])
    expect((await request(node.url).get('/load')).body.draining).toBe(true)
    node.child.kill('SIGTERM')
    expect(await node.ended).toStrictEqual([143, null])
  })

  it('exits when its parent is gone', async () => {
    await using node = await spawnNode('--notice-ms', '0')
    node.child.disconnect()
    expect(await node.ended).toStrictEqual([0, null])
  })

  it('exits when its parent was gone before it was ready', async () => {
    const child = spawn(process.execPath, [CLI, '--port', '0', '--residents', '20000', '--notice-ms', '0'], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    child.disconnect()
    expect(await once(child, 'exit')).toStrictEqual([0, null])
  })

  it('runs without a parent that listens', async () => {
    const child = spawn(process.execPath, [CLI, '--port', '0', '--residents', '0', '--notice-ms', '0'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const ended = once(child, 'exit')
    await once(child.stdout, 'data')
    child.kill('SIGTERM')
    expect(await ended).toStrictEqual([0, null])
  })

  it('says in one line that its port is taken, and exits 1', async () => {
    await using holder = await startTestNode()
    const { code, stdout, stderr } = await runToEnd('--port', String(holder.port))
    expect([code, stdout]).toStrictEqual([1, ''])
    expect(stderr).toBe(
      `region-node: port ${holder.port} on 127.0.0.1 is already in use; ` +
        'stop what uses it or choose another with --port\n',
    )
  })

  it('says in one line that its data file is unusable, and exits 1', async () => {
    using folder = temporaryFolder()
    const { code, stderr } = await runToEnd('--data', folder.file('missing/node.db'))
    expect(code).toBe(1)
    expect(stderr).toMatch(/^region-node: data file .*missing\/node\.db can't be used: .*\n$/)
  })
})

describe('a node that is killed', () => {
  it('has lost no result that it acknowledged, nor a key that it has seen', async () => {
    using folder = temporaryFolder()
    const flags = ['--data', folder.file('node.db'), '--notice-ms', '0']
    const acknowledged: { testId: string; key: string }[] = []
    {
      await using node = await spawnNode(...flags)
      const laboratory = async (number: number): Promise<void> => {
        for (let round = 0; ; round += 1) {
          const key = `lab-${number}-${round}`
          const answer = await request(node.url).post('/v1/tests').set('Idempotency-Key', key).send(SAMPLE)
          expect(answer.status).toBe(201)
          acknowledged.push({ testId: answer.body.testId, key })
          // Killed while the others' results are on their way.
          if (acknowledged.length === 60) node.child.kill('SIGKILL')
        }
      }
      await Promise.allSettled(Array.from({ length: 8 }, (_, number) => laboratory(number)))
      expect(await node.ended).toStrictEqual([null, 'SIGKILL'])
    }
    expect(acknowledged.length).toBeGreaterThanOrEqual(60)

    await using again = await spawnNode(...flags)
    const { body } = await request(again.url).get(`/v1/tests/${RESIDENT}?limit=100`)
    const kept = new Set(body.tests.map((test: { testId: string }) => test.testId))
    expect(acknowledged.filter(({ testId }) => !kept.has(testId))).toStrictEqual([])
    for (const { testId, key } of acknowledged.slice(-5)) {
      const replay = await request(again.url).post('/v1/tests').set('Idempotency-Key', key).send(SAMPLE)
      expect(replay.body.testId).toBe(testId)
    }
  })
})

describe('a node that is killed in the middle of a screening', () => {
  it('has lost no registration that it acknowledged, and made none twice', async () => {
    using folder = temporaryFolder()
    const flags = ['--data', folder.file('node.db'), '--notice-ms', '0']
    const body = { residentId: RESIDENT, siteId: 'site-1', registeredAt: '2022-01-04T09:00:00+08:00' }
    const register = (url: string, key: string) =>
      request(url).post('/v1/registrations').set('Idempotency-Key', key).send(body)
    const acknowledged = new Map<string, string>()
    const sent: string[] = []
    {
      await using node = await spawnNode(...flags)
      const samplingPoint = async (number: number): Promise<void> => {
        for (let round = 0; ; round += 1) {
          const key = `point-${number}-${round}`
          sent.push(key)
          const answer = await register(node.url, key)
          expect(answer.status).toBe(201)
          acknowledged.set(key, answer.text)
          if (acknowledged.size === 60) node.child.kill('SIGKILL')
        }
      }
      await Promise.allSettled(Array.from({ length: 8 }, (_, number) => samplingPoint(number)))
      expect(await node.ended).toStrictEqual([null, 'SIGKILL'])
    }
    expect(acknowledged.size).toBeGreaterThanOrEqual(60)

    // As sampling points do that heard no answer: all is sent again.
    await using again = await spawnNode(...flags)
    for (const key of sent) {
      const { status, text } = await register(again.url, key)
      expect(status).toBe(201)
      if (acknowledged.has(key)) expect(text).toBe(acknowledged.get(key))
    }
    const { body: listed } = await request(again.url).get(`/v1/registrations/${RESIDENT}?limit=100`)
    expect(listed.registrations).toHaveLength(sent.length)
  })
})
