// npm run screenshots: builds, starts the example app, uses its pages in Chromium, and puts their pictures into docs/images.
import './install.mjs'
import './chromium.mjs'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chromiumPath } from './chromium-path.mjs'
import { root, run } from './install.mjs'

run('npm', ['run', '--silent', 'build'])
const app = join(root, 'examples', 'app')
const { chromium } = createRequire(join(app, 'package.json'))('playwright-core')

const data = mkdtempSync(join(tmpdir(), 'respite-screenshots-'))
const server = fork(join(app, 'dist', 'main.js'), { env: { ...process.env, PORT: '0', HOST: 'localhost', LOG_LEVEL: 'warn', DATA_DIR: data } })
const [{ listening }] = await once(server, 'message')
const url = `http://localhost:${listening.port}`
const browser = await chromium.launch({ executablePath: chromiumPath(), chromiumSandbox: process.getuid?.() !== 0 })
const schemes = ['light', 'dark']
const pictured = (page, name) => page.screenshot({ path: join(root, 'docs', 'images', `${name}.png`) })
const opened = async (path, colorScheme) => {
  const context = await browser.newContext({ colorScheme, viewport: { width: 1280, height: 900 } })
  const page = await context.newPage()
  await page.goto(url + path)
  return page
}
// Reads of some places and of the entries, so that the dashboard has something to show; runs in the page.
const visit = async seconds => {
  const until = performance.now() + seconds * 1_000
  for (let n = 0; performance.now() < until; n++) {
    await fetch(`/weather?lat=${Math.floor(Math.random() ** 3 * 40)}&lon=13&mock=true`)
    if (n % 40 === 0) await fetch('/entries')
  }
}
try {
  const visitor = await opened('/', 'light')
  for (const name of [/Call/, /Log in here/, /Log in elsewhere/, /Write an entry/, /Call/]) await visitor.getByRole('button', { name }).first().click()
  await Promise.all([1, 2, 3].map(() => visitor.evaluate(visit, 60)))
  for (const colorScheme of schemes) {
    const page = await opened('/', colorScheme)
    await page.click('#battle-start')
    await page.locator('#battle-status', { hasText: /^Done\.$/ }).waitFor()
    await pictured(page, `battle-${colorScheme}`)
    await page.close()
  }
  for (const colorScheme of schemes) {
    const page = await opened('/dashboard', colorScheme)
    await page.locator('#connection', { hasText: 'live' }).waitFor()
    // The stores are asked once somebody looks; what they say comes after the history.
    await Promise.all([page.waitForTimeout(6_000), visitor.evaluate(visit, 6)])
    await pictured(page, `dashboard-${colorScheme}`)
    await page.close()
  }
} finally {
  await browser.close()
  server.kill()
  await once(server, 'exit')
  rmSync(data, { recursive: true })
}
