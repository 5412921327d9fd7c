// The API's readable page in a real browser: every operation on it, no script, no request to anybody else, for everybody.
import { createServer } from 'node:http'
import { once } from 'node:events'
import { expect, it, jest } from '@jest/globals'
import { Document, openApi } from '../support/operators.ts'
import { listOperations } from '../support/operation-requests.ts'
import { describeInBrowser, openPhone, picture, seriousFaults } from '../support/browser.ts'

jest.setTimeout(120_000)

describeInBrowser('the page at /api/docs', () => {
  it('shows every operation, asks only this listener, breaks no policy, and axe finds nothing serious', async () => {
    await using api = await openApi()
    const server = createServer(api.app).listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const address = server.address()
      const origin = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
      await using phone = await openPhone({ locale: 'zh-CN' })
      const { page, complaints } = phone
      const asked: string[] = []
      page.on('request', (request) => asked.push(request.url()))
      await page.goto(`${origin}/api/docs`)
      for (const { method, path } of listOperations(await new Document(api.app).load())) {
        const heading = page.locator('h3', { hasText: `${method.toUpperCase()} ${path}` })
        expect([method, path, await heading.count()]).not.toEqual([method, path, 0])
      }
      await page.getByRole('link', { name: 'POST /holds' }).click()
      expect(page.url()).toBe(`${origin}/api/docs#postHolds`)
      expect(await page.locator('script').count()).toBe(0)
      expect(await page.evaluate('getComputedStyle(document.querySelector("header")).backgroundColor')).toBe(
        'rgb(15, 39, 66)',
      )
      expect(asked.filter((url) => !url.startsWith(`${origin}/`))).toEqual([])
      expect(complaints).toEqual([])
      expect(await seriousFaults(page)).toEqual([])
      // On a phone nothing is wider than the screen.
      expect(await page.evaluate('document.documentElement.scrollWidth <= innerWidth')).toBe(true)
      await picture(page, 'api-docs-phone', false)
      await page.setViewportSize({ width: 1280, height: 900 })
      await page.emulateMedia({ colorScheme: 'dark' })
      expect(await seriousFaults(page)).toEqual([])
      await picture(page, 'api-docs', false)
    } finally {
      server.closeAllConnections()
      server.close()
    }
  })
})
