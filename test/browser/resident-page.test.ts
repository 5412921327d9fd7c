// A resident's page in a real browser while the regions, then the gateway, die under it.
import { expect, it, jest } from '@jest/globals'
import {
  describeInBrowser,
  keptOffline,
  openPhone,
  picture,
  seriousFaults,
  until,
} from '../support/browser.ts'
import { syntheticCitizenNumber } from '../../region-node/tokens/synthetic-number.ts'
import { RunningDemo } from '../support/demo.ts'

jest.setTimeout(120_000)

const resident = 'R610100-000002'

describeInBrowser('a resident’s page', () => {
  it('shows the code, and goes on showing one through every failure', async () => {
    await using demo = await RunningDemo.start(18_300)
    await using phone = await openPhone({ locale: 'zh-CN' })
    const { page, complaints } = phone
    const card = page.locator('#card')
    const colour = page.locator('#word')
    const says = async (source: string, word = '绿码') => {
      await page.waitForSelector(`#card[data-source="${source}"]`)
      expect(await colour.textContent()).toBe(word)
      expect(await page.locator('#shape svg').count()).toBe(1)
    }
    await page.goto(`${demo.url}/#${resident}`)
    await says('home')
    expect(await page.locator('#qr').getAttribute('aria-label')).toContain('绿码')
    expect(await page.locator('.synthetic').textContent()).toContain('合成')
    await keptOffline(page)
    await says('home')
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    await picture(page, 'resident-home')
    expect(await seriousFaults(page)).toEqual([])

    // A document's number is no id of this page's: it is not kept, not sent, and not left in the address.
    const number = syntheticCitizenNumber(7)
    await page.locator('#resident').fill(number)
    await page.locator('#chooser button').click()
    await page.waitForSelector('#unknown:not([hidden])')
    await page.evaluate(`location.hash = '${number}'`)
    await until(page, `!location.hash.includes('${number}')`)
    expect(await page.evaluate('JSON.stringify(localStorage)')).not.toContain(number)
    await page.goto(`${demo.url}/#${resident}`)
    await page.reload()
    await says('home')

    demo.kill('xian-1', 'xian-2')
    await page.locator('#refresh').click()
    await says('support')
    expect(await page.locator('#notice').textContent()).toContain('咸阳市')
    expect(await page.locator('#issuer').textContent()).toContain('610400')
    await picture(page, 'resident-support')
    expect(await seriousFaults(page)).toEqual([])

    demo.kill('xianyang-1', 'weinan-1', 'shaanxi-1')
    await page.locator('#refresh').click()
    await says('kept')
    await picture(page, 'resident-kept')

    demo.kill('gateway')
    await page.reload()
    await until(page, 'document.querySelector("#retrying").hidden === false')
    expect(await page.locator('#qr svg').count()).toBe(1)
    expect(await colour.textContent()).toBe('绿码')

    // The display code's two minutes are over.
    await page.clock.install({ time: Date.now() + 180_000 })
    await page.reload()
    await says('carried')
    await picture(page, 'resident-carried')
    expect(await seriousFaults(page)).toEqual([])

    // A day later nothing is left to show, and no colour is made up.
    await page.clock.setSystemTime(Date.now() + 25 * 3_600_000)
    await page.reload()
    await says('none', '暂无有效码')
    expect(await page.locator('#qr').isVisible()).toBe(false)
    await picture(page, 'resident-none')
    expect(await card.getAttribute('data-look')).toBe('none')
    expect(complaints).toEqual([])
  })

  it('speaks both languages, and is used by keyboard alone', async () => {
    await using demo = await RunningDemo.start(18_310)
    await using phone = await openPhone({ locale: 'en-GB' })
    const { page, complaints } = phone
    await page.goto(demo.url)
    await page.waitForSelector('#card[data-look="yellow"]')
    expect(await page.evaluate('document.documentElement.lang')).toBe('en')
    expect(await page.locator('#word').textContent()).toBe('Yellow')
    await picture(page, 'resident-english')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await page.locator('#word').textContent()).toBe('黄码')
    expect(await page.evaluate('document.documentElement.lang')).toBe('zh-CN')
    // Past the button that renews, to the resident's number.
    for (const _ of [1, 2]) await page.keyboard.press('Tab')
    await page.keyboard.press('Control+A')
    await page.keyboard.type('nobody')
    await page.keyboard.press('Enter')
    await page.waitForSelector('#unknown:not([hidden])')
    await page.keyboard.press('Control+A')
    await page.keyboard.type(resident)
    await page.keyboard.press('Enter')
    await page.waitForSelector('#card[data-look="green"]')
    expect(await page.locator('#said').textContent()).toContain('绿码')
    expect(complaints).toEqual([])
  })

  it('asks nobody but the gateway, and fits a weak phone', async () => {
    await using demo = await RunningDemo.start(18_320)
    await using phone = await openPhone({ locale: 'zh-CN' })
    const { page } = phone
    const asked: string[] = []
    let scriptBytes = 0
    page.on('response', async (response) => {
      asked.push(new URL(response.url()).origin)
      if (response.request().resourceType() === 'script') scriptBytes += (await response.body()).length
    })
    const answer = await page.goto(demo.url)
    await page.waitForSelector('#card[data-source="home"]')
    expect(new Set(asked)).toEqual(new Set([demo.url]))
    expect(scriptBytes).toBeLessThan(60_000)
    const policy = answer?.headers()['content-security-policy'] ?? ''
    expect(policy).toContain("default-src 'none'; script-src 'self'")
    expect(policy).not.toMatch(/unsafe/)
  })
})
