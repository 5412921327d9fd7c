// A checkpoint's page in a real browser: it judges codes with the network off, by text, by picture, in two languages.
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it, jest } from '@jest/globals'
import type { Page } from 'playwright-core'
import { z } from 'zod'
import {
  describeInBrowser,
  keptOffline,
  openPhone,
  picture,
  seriousFaults,
  until,
} from '../support/browser.ts'
import { RunningDemo } from '../support/demo.ts'

jest.setTimeout(120_000)

const answer = z.object({ code: z.string() })

async function codeOf(demo: RunningDemo, resident: string, folder = 'codes'): Promise<string> {
  return answer.parse(await (await fetch(`${demo.url}/v1/${folder}/${resident}`)).json()).code
}

async function judge(page: Page, code: string): Promise<string | null> {
  await page.locator('#next').click()
  await page.locator('#code').fill(code)
  await page.locator('#verifier button[type=submit]').click()
  await until(page, 'document.querySelector("#card").dataset.look !== "waiting"')
  return page.locator('#word').textContent()
}

/** Changed in the middle of its signature. */
const tampered = (code: string): string =>
  code.slice(0, -40) + (code.at(-40) === 'A' ? 'B' : 'A') + code.slice(-39)

describeInBrowser('a checkpoint’s page', () => {
  it('judges without a network what it could judge with one', async () => {
    await using demo = await RunningDemo.start(18_330)
    await using phone = await openPhone({ locale: 'zh-CN' })
    const { page, context, complaints } = phone
    await page.goto(`${demo.url}/checkpoint`)
    await until(page, 'document.querySelector("#trust-age").textContent.includes("№")')
    expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
    await picture(page, 'checkpoint-ready')
    expect(await seriousFaults(page)).toEqual([])
    const green = await codeOf(demo, 'R610100-000002')
    const yellow = await codeOf(demo, 'R610100-000001')
    const carried = await codeOf(demo, 'R610100-000002', 'credentials')
    demo.kill('xian-1', 'xian-2')
    await wait(500)
    const lent = await codeOf(demo, 'R610100-000002')
    await keptOffline(page)
    demo.kill('gateway')
    await context.setOffline(true)
    await page.reload()
    await until(page, 'document.querySelector("#state").textContent.includes("离线")')

    expect(await judge(page, green)).toBe('有效 · 绿码')
    await picture(page, 'checkpoint-valid-offline')
    expect(await seriousFaults(page)).toEqual([])
    expect(await page.locator('#ages').textContent()).toMatch(/信任清单 \d+ 秒前/)
    expect(await judge(page, yellow)).toBe('有效 · 黄码')
    expect(await judge(page, carried)).toBe('有效 · 绿码')
    expect(await page.locator('#kind').textContent()).toBe('随身凭证')
    expect(await judge(page, lent)).toBe('有效 · 绿码')
    expect(await page.locator('#kind').textContent()).toContain('支援区域')
    expect(await judge(page, tampered(green))).toBe('被篡改')
    await picture(page, 'checkpoint-tampered')
    expect(await seriousFaults(page)).toEqual([])
    expect(await judge(page, 'not a code')).toBe('不是有效的码')

    await page.locator('#language').click()
    expect(await judge(page, green)).toBe('Valid · Green')
    expect(await page.locator('#said').textContent()).toContain('Valid · Green. Genuine and in time')
    await picture(page, 'checkpoint-english')

    await page.clock.install({ time: Date.now() + 10 * 60_000 })
    await page.reload()
    expect(await judge(page, green)).toBe('Expired')
    expect(await judge(page, carried)).toBe('Valid · Green')
    await page.clock.setSystemTime(Date.now() + 26 * 3_600_000)
    expect(await judge(page, carried)).toBe('Can’t be judged')
    await picture(page, 'checkpoint-lists-too-old')
    expect(complaints).toEqual([])
  })

  it('reads the QR that a resident’s page shows', async () => {
    await using demo = await RunningDemo.start(18_340)
    await using phone = await openPhone({ locale: 'en-GB' })
    const { page, context } = phone
    await page.goto(`${demo.url}/#R610100-000002`)
    await page.waitForSelector('#card[data-look="green"]')
    const shown = await page.locator('#qr').screenshot()
    const checkpoint = await context.newPage()
    await checkpoint.goto(`${demo.url}/checkpoint`)
    await until(checkpoint, 'document.querySelector("#trust-age").textContent.includes("№")')
    const file = { name: 'code.png', mimeType: 'image/png', buffer: shown }
    await checkpoint.locator('#picture').setInputFiles(file)
    await checkpoint.waitForSelector('#card[data-look="green"]')
    expect(await checkpoint.locator('#word').textContent()).toBe('Valid · Green')
    const blank = { ...file, buffer: await page.locator('.top').screenshot() }
    await checkpoint.locator('#picture').setInputFiles(blank)
    await checkpoint.waitForSelector('#trouble:not([hidden])')
    expect(await checkpoint.locator('#card').getAttribute('data-look')).toBe('waiting')
  })
})
