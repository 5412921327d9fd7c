// A checkpoint's page in a real browser refuses what is genuine in form and must not pass, each with its own words.
import { writeFileSync } from 'node:fs'
import { expect, it, jest } from '@jest/globals'
import { startRegionNode } from '../../region-node/main.ts'
import { temporaryFolder } from '../region-node/running-node.ts'
import { aCode, handKey, lent, now, nowMs, World } from '../region-node/verify/hand-signed.ts'
import { describeInBrowser, openPhone, until } from '../support/browser.ts'

jest.setTimeout(60_000)

describeInBrowser('a checkpoint’s page', () => {
  it('tells apart what was revoked, is of nobody known, was not lent, and is not yet valid', async () => {
    using folder = temporaryFolder()
    const kept = (name: string, text: string): string => {
      writeFileSync(folder.file(name), text)
      return folder.file(name)
    }
    const world = new World()
    await using node = await startRegionNode({
      port: 0,
      residents: 20,
      clock: () => nowMs,
      trustRoot: kept('root.json', JSON.stringify(world.root.jwk)),
      trustList: kept('trust.jws', world.trustList({ delegations: [lent({ until: now - 60 })] })),
      revocationLists: [kept('revoked.jws', world.revocations({ revoked: [{ rid: 'rid-of-the-lost' }] }))],
    })
    await using phone = await openPhone({ locale: 'en-GB' })
    const { page } = phone
    await page.clock.setFixedTime(nowMs)
    await page.goto(`${node.url}/checkpoint`)
    await until(page, 'document.querySelector("#trust-age").textContent.includes("№")')

    const strange = handKey()
    const said: Record<string, unknown> = {}
    for (const [name, code] of Object.entries({
      good: world.code(),
      revoked: world.code({ rid: 'rid-of-the-lost' }),
      strange: strange.sign('chiyuan-code', aCode()),
      notLent: world.xianyang.sign('chiyuan-code', aCode({ iss: '610400' })),
      early: world.code({ iat: now + 60, exp: now + 180 }),
    })) {
      await page.locator('#next').click()
      await page.locator('#code').fill(code)
      await page.locator('#verifier button[type=submit]').click()
      await until(page, 'document.querySelector("#card").dataset.look !== "waiting"')
      const look = await page.locator('#card').getAttribute('data-look')
      said[name] = [look, await page.locator('#word').textContent(), await page.locator('#facts').isVisible()]
    }
    expect(said).toStrictEqual({
      good: ['green', 'Valid · Green', true],
      revoked: ['refused', 'Revoked', false],
      strange: ['refused', 'Unknown issuer', false],
      notLent: ['refused', 'Not authorised', false],
      early: ['refused', 'Not valid yet', false],
    })
  })
})
