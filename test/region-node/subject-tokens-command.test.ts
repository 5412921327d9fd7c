// `chiyuan subject-tokens`: what a terminal does with a card, from the card to the look-up.
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from '@jest/globals'
import request from 'supertest'
import { syntheticCitizenNumber } from '../../region-node/tokens/synthetic-number.ts'
import { startChiyuan, startTestNode, temporaryFolder, toEnd } from './running-node.ts'
import type { Ended } from './running-node.ts'
import { letTerminalIn } from './terminal.ts'

/** The example that GB 11643 prints. */
const EXAMPLE = '11010519491231002X'

async function tokens(input: string, ...args: string[]): Promise<Ended> {
  const child = startChiyuan('subject-tokens', ...args)
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  return toEnd(child)
}

describe('chiyuan subject-tokens make', () => {
  it('gives a token a line, in order, and a kind of fault for what is no number', async () => {
    using folder = temporaryFolder()
    const file = folder.file('pepper.json')
    expect(await tokens('', 'create-pepper', file)).toStrictEqual({ code: 0, stdout: '', stderr: '' })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const input = `${EXAMPLE}\n${syntheticCitizenNumber(7)}\n\n 110105-19491231-002x \n`
    const { code, stdout } = await tokens(input, 'make', '--type', 'resident-id-card', '--pepper', file)
    expect(code).toBe(0)
    const [first = '', ...rest] = stdout.trimEnd().split('\n')
    expect(first).toMatch(/^[\w-]{22}$/)
    expect(rest).toStrictEqual(['invalid: division', 'invalid: form', first])
    await tokens('', 'rotate-pepper', file)
    const rotated = await tokens(EXAMPLE, 'make', '--type', 'resident-id-card', '--pepper', file)
    expect(rotated.stdout).toMatch(new RegExp(`^[\\w-]{22} ${first}\n$`))
    expect(stdout + rotated.stdout + rotated.stderr).not.toMatch(/1949/)
  })

  it('gives tokens that a node knows the synthetic residents by', async () => {
    using folder = temporaryFolder()
    const dataFile = folder.file('node.db')
    await using node = await startTestNode({ dataFile })
    const { stdout } = await tokens('R610100-000001\nR610100-000002\n', 'make', '--type', 'synthetic')
    const { body } = await request(node.url)
      .post('/v1/id-cards/lookups')
      .auth(letTerminalIn(dataFile), { type: 'bearer' })
      .send({ subjectTokens: stdout.trimEnd().split('\n') })
    expect(body.results).toMatchObject([
      { outcome: 'found', status: 'yellow' },
      { outcome: 'found', status: 'green' },
    ])
  })

  it('ends in silence when its reader has had enough', async () => {
    const child = startChiyuan('subject-tokens', 'make', '--type', 'synthetic')
    child.stdin.on('error', () => undefined)
    child.stdin.end('a\n'.repeat(200_000))
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const [[code], complaint] = await Promise.all([once(child, 'exit'), text(child.stderr)])
    expect([code, complaint]).toStrictEqual([0, ''])
  })

  it.each([
    { args: ['make', '--type', 'passport'], says: 'documents of type passport need a pepper' },
    { args: ['make', '--type', 'library-card'], says: 'must be one of resident-id-card, passport' },
    { args: ['make', '--type', 'passport', '--pepper', '/nowhere/at/all.json'], says: 'ENOENT' },
    { args: ['create-pepper', '/nowhere/at/all.json'], says: "can't be written: ENOENT" },
    { args: ['rotate-pepper', '/nowhere/at/all.json'], says: "can't be used: ENOENT" },
  ])('says what is wrong: $args', async ({ args, says }) => {
    const { code, stderr } = await tokens('', ...args)
    expect(code).toBe(1)
    expect(stderr).toContain(says)
    expect(stderr).not.toContain('    at ')
  })
})
