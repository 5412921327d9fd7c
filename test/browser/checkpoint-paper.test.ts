// A checkpoint's page in a real browser judges paper: without a network whether it is genuine, with one its colour too.
import { writeFileSync } from 'node:fs'
import { expect, it, jest } from '@jest/globals'
import type { Page } from 'playwright-core'
import { z } from 'zod'
import { startRegionNode } from '../../region-node/main.ts'
import { startTestNode, temporaryFolder } from '../region-node/running-node.ts'
import { signingWorld } from '../region-node/signing-world.ts'
import {
  aPaper,
  aRevocationList,
  lent,
  now,
  nowMs,
  paperRid,
  World,
} from '../region-node/verify/hand-signed.ts'
import { describeInBrowser, openPhone, picture, seriousFaults, until } from '../support/browser.ts'

jest.setTimeout(120_000)

/** What the card says, once nothing is being looked up any more. */
async function judge(page: Page, code: string): Promise<string[]> {
  await page.locator('#next').click()
  await page.locator('#code').fill(code)
  await page.locator('#verifier button[type=submit]').click()
  await until(page, 'document.querySelector("#card").dataset.look !== "waiting"')
  await until(page, '!/正在联网|being looked up/.test(document.querySelector("#notice").textContent)')
  const look = await page.locator('#card').getAttribute('data-look')
  return [look ?? '', (await page.locator('#word').textContent()) ?? '']
}

const openCheckpoint = async (page: Page, url: string): Promise<void> => {
  await page.goto(`${url}/checkpoint`)
  await until(page, 'document.querySelector("#trust-age").textContent.includes("№")')
}

const printed = z.object({ codeId: z.string(), code: z.string() })
let keys = 0
async function post(url: string, path: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json', 'idempotency-key': `key-${(keys += 1)}` }
  const answer = await fetch(url + path, { method: 'POST', headers, body: JSON.stringify(body) })
  expect(answer.status).toBe(201)
  return answer.json()
}

describeInBrowser('a checkpoint’s page', () => {
  it('tells genuine paper from what is not, without a network and without a colour', async () => {
    using folder = temporaryFolder()
    const kept = (name: string, text: string): string => {
      writeFileSync(folder.file(name), text)
      return folder.file(name)
    }
    const world = new World()
    const ofXianyang = aRevocationList(world.xianyang.kid, { iss: '610400' })
    await using node = await startRegionNode({
      port: 0,
      residents: 20,
      clock: () => nowMs,
      trustRoot: kept('root.json', JSON.stringify(world.root.jwk)),
      // Over before the paper ends.
      trustList: kept('trust.jws', world.trustList({ delegations: [lent()] })),
      revocationLists: [
        kept('610100.jws', world.revocations({ revoked: [{ rid: paperRid(2) }] })),
        kept('610400.jws', world.xianyang.sign('chiyuan-revocation-list', ofXianyang)),
      ],
    })
    await using phone = await openPhone({ locale: 'en-GB' })
    const { page, context, complaints } = phone
    await page.clock.setFixedTime(nowMs)
    await openCheckpoint(page, node.url)
    await context.setOffline(true)

    const genuine = world.paper()
    expect(await judge(page, genuine)).toStrictEqual(['paper', 'Genuine paper · colour unknown'])
    expect(await page.locator('#word-other').textContent()).toBe('纸质码真实 · 颜色未知')
    expect(await page.locator('#notice').textContent()).toContain('paper tells no colour')
    expect(await page.locator('#kind').textContent()).toBe('paper code')
    expect(await page.locator('#issued').textContent()).toBe('14 days ago')
    expect(await page.locator('#until').isVisible()).toBe(true)
    expect(await page.locator('#shape svg').count()).toBe(1)
    await picture(page, 'checkpoint-paper-offline')
    expect(await seriousFaults(page)).toEqual([])
    const family = world.paper({ sub: ['synthetic-token-0001', 'synthetic-token-0002'] })
    expect(await judge(page, family)).toStrictEqual(['paper', 'Genuine paper · colour unknown'])
    expect(await page.locator('#kind').textContent()).toBe('family code (2 people)')

    const [head, , seal] = genuine.split('.')
    const [, other] = world.paper({ rid: paperRid(3) }).split('.')
    const said: Record<string, readonly string[]> = {}
    for (const [name, code] of Object.entries({
      expired: world.paper({ exp: now - 60 }),
      tampered: [head, other, seal].join('.'),
      lost: world.paper({ rid: paperRid(2) }),
      notLent: world.xianyang.sign('chiyuan-paper', aPaper({ iss: '610400' })),
      shownAsPaper: world.xian.sign('chiyuan-code', aPaper()),
    })) {
      said[name] = await judge(page, code)
      expect(await page.locator('#facts').isVisible()).toBe(false)
    }
    expect(said).toStrictEqual({
      expired: ['refused', 'Expired'],
      tampered: ['refused', 'Tampered with'],
      lost: ['refused', 'Revoked'],
      notLent: ['refused', 'Not authorised'],
      shownAsPaper: ['refused', 'Not a code'],
    })
    expect(complaints).toEqual([])
  })

  it('looks up the colour of now where it can, and hears of a loss before its lists do', async () => {
    const world = await signingWorld()
    const losses = world.write('losses.jws', await world.revocations('610100', Date.now()))
    await using home = await startTestNode({ revocationLists: [losses] })
    const green = { residentId: 'R610100-000002' }
    const paper = printed.parse(await post(home.url, '/v1/paper-codes', green))
    const members = { ...green, memberIds: ['R610100-000001'] }
    const family = printed.parse(await post(home.url, '/v1/family-codes', members))
    await using phone = await openPhone({ locale: 'zh-CN' })
    const { page, context, complaints } = phone
    await openCheckpoint(page, home.url)

    expect(await judge(page, paper.code)).toStrictEqual(['green', '纸质码真实 · 绿码'])
    await picture(page, 'checkpoint-paper-online')
    expect(await judge(page, family.code)).toStrictEqual(['yellow', '纸质码真实 · 黄码'])
    expect(await page.locator('#kind').textContent()).toBe('家庭码（2 人）')
    await post(home.url, '/v1/loss-reports', { ...green, codeId: paper.codeId })
    expect(await judge(page, paper.code)).toStrictEqual(['refused', '已挂失'])
    expect(await page.locator('#facts').isVisible()).toBe(false)
    await context.setOffline(true)
    expect(await judge(page, family.code)).toStrictEqual(['paper', '纸质码真实 · 颜色未知'])
    expect(await page.locator('#notice').textContent()).toContain('请联网后再核验')
    expect(complaints).toEqual([])
  })
})
