// A real Chromium for tests of pages, with an empty profile, where the machine has one.
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe } from '@jest/globals'
import { chromium } from 'playwright-core'
import type { BrowserContext, Page } from 'playwright-core'
import { z } from 'zod'
import { eventually } from './eventually.ts'

const executable = process.env['CHROMIUM'] ?? '/usr/bin/chromium'

/** Looked at after a run; git ignores it. */
const screenshots = 'coverage/screenshots'

const flags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

// Never skipped in CI: there it must have been installed.
const isThere = existsSync(executable) || process.env['CI'] !== undefined
if (!isThere) {
  process.stderr.write(`pages are not tested: no Chromium at ${executable}; install it, or set CHROMIUM\n`)
}

export const describeInBrowser = isThere ? describe : describe.skip

export interface Phone extends AsyncDisposable {
  readonly context: BrowserContext
  readonly page: Page
  /** What the page complained of: uncaught errors, policy violations. */
  readonly complaints: string[]
}

export async function openPhone(options: { locale: string }): Promise<Phone> {
  const profile = await mkdtemp(join(tmpdir(), 'chiyuan-chromium-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: executable,
    args: flags,
    viewport: { width: 390, height: 844 },
    deviceScaleFactor: 2,
    timezoneId: 'Asia/Shanghai',
    locale: options.locale,
  })
  const page = context.pages()[0] ?? (await context.newPage())
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => {
    if (/Content Security Policy/i.test(message.text())) complaints.push(message.text())
  })
  return {
    context,
    page,
    complaints,
    [Symbol.asyncDispose]: async () => {
      await context.close()
      await rm(profile, { recursive: true, force: true })
    },
  }
}

export async function picture(page: Page, name: string, fullPage = true): Promise<void> {
  await mkdir(screenshots, { recursive: true })
  await page.screenshot({ path: join(screenshots, `${name}.png`), fullPage })
}

/** Resolves when the service worker has kept the pages and serves this one. */
export async function keptOffline(page: Page): Promise<void> {
  await page.evaluate('navigator.serviceWorker.ready')
  await page.reload()
  await until(page, 'navigator.serviceWorker.controller !== null')
}

/** Asked from outside, again and again: what Playwright would have the page ask itself its policy does not run. */
export const until = (page: Page, expression: string): Promise<void> =>
  eventually(async () => {
    if ((await page.evaluate(expression)) !== true) throw new Error(`the page has not come to: ${expression}`)
  }, 10_000)

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const findings = z.array(z.object({ id: z.string(), impact: z.string(), nodes: z.array(z.string()) }))

/** What axe finds serious or critical, by rule and place. */
export async function seriousFaults(page: Page): Promise<z.infer<typeof findings>> {
  // Not as a script element: the page's policy would not run it.
  await page.evaluate(axe)
  const found: unknown = await page.evaluate(
    `axe.run({ runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] })
       .then(({ violations }) => violations
         .filter(({ impact }) => impact === 'serious' || impact === 'critical')
         .map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map(({ html }) => html) })))`,
  )
  return findings.parse(found)
}
