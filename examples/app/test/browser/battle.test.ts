import { startRedis } from '@respite/testing'
import t from 'tap'
import { secrets, serve } from '../journeys/server.ts'
import { assertAccessible } from './accessibility.ts'
import { openPage, withoutChromium } from './chromium.ts'

t.test('Battle Mode', { skip: withoutChromium }, async t => {
  const { url } = await serve(t)

  t.test('shows in five seconds that the cache gives more than five times the answers', async t => {
    const { page, errors } = await openPage(t, url)
    await page.selectOption('[name=seconds]', '5')
    await page.click('#battle-start')
    await page.locator('#battle-status', { hasText: /^Done\.$/ }).waitFor()
    const shown = async (id: string) => parseFloat((await page.textContent(id))!.replaceAll(',', ''))
    t.ok(await shown('#battle-factor') > 5)
    t.match(await page.textContent('#cached-hits'), /^[\d,.]+ hits, (1 miss|\d+ misses)$/)
    t.equal(await page.textContent('#uncached-failed'), '0')
    t.ok(await shown('#uncached-p50') >= 500)
    t.match(await page.textContent('#battle-line'), /^Respite, a 500 ms upstream, 3 in flight: .+ without the cache, .+ with it: [\d,.]+ ×$/)
    await page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
    await page.click('#battle-copy')
    await page.locator('#battle-status', { hasText: 'Copied.' }).waitFor()
    t.equal(await page.evaluate('navigator.clipboard.readText()'), await page.textContent('#battle-line'))
    t.same(errors, [])
  })

  t.test('stops at once when it is told to', async t => {
    const { page, errors } = await openPage(t, url)
    const focused = () => page.evaluate('document.activeElement.id')
    await page.selectOption('[name=seconds]', '30')
    await page.press('#battle-start', 'Enter')
    await page.locator('#cached-hits', { hasText: 'hits' }).waitFor()
    t.equal(await focused(), 'battle-stop', 'the keyboard is where it can go on')
    await page.press('#battle-stop', 'Enter')
    await page.locator('#battle-status', { hasText: /^Stopped\./ }).waitFor()
    t.equal(await focused(), 'battle-start')
    t.ok(await page.isEnabled('#battle-start'))
    t.same(errors.filter(error => !error.includes('net::ERR_ABORTED')), [], 'but for the requests that were given up')
  })

  t.test('does not keep from the reader that the server went away', async t => {
    const { page } = await openPage(t, url)
    await page.selectOption('[name=seconds]', '30')
    await page.click('#battle-start')
    for (const lane of ['uncached', 'cached']) await page.locator(`#${lane}-answers`, { hasText: /^[1-9]/ }).waitFor()
    await page.context().setOffline(true)
    await page.locator('#battle-status', { hasText: /^Done; [\d,]+ requests failed, and the figures are of the others\.$/ }).waitFor()
    t.match(await page.textContent('#battle-line'), /[\d,]+ failed\) without the cache, .+ [\d,]+ failed\) with it: /)
  })

  for (const path of ['/', '/docs/', '/routes', '/weather?lat=1&lon=1&mock=true']) {
    t.test(`nothing that ${path} loads or styles is against the policy of its content`, async t => {
      const { page, errors } = await openPage(t, url + path, { extraHTTPHeaders: { accept: 'text/html' } })
      await page.locator('h1, h2').first().waitFor()
      t.same(errors, [])
    })
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    t.test(`axe finds no serious violation in ${colorScheme}`, async t => {
      const { page } = await openPage(t, url, { colorScheme, viewport: { width: 360, height: 740 } })
      await assertAccessible(t, page)
    })
  }
})

t.test('a battle in which the cache is of no help says where to look', { skip: withoutChromium }, async t => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const { url } = await serve(t, { ...secrets, REDIS_URL: redis.url })
  const { page } = await openPage(t, url)
  await redis.kill()
  await page.click('#battle-start')
  await page.locator('#battle-status', { hasText: /^Done\. The cache was of no help: is its Redis away\? The dashboard tells\.$/ }).waitFor()
})
