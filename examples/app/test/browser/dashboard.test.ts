import { startProxy, startRedis, until } from '@respite/testing'
import t from 'tap'
import { listen } from '../dashboard/event-stream.ts'
import { client } from '../journeys/client.ts'
import { enter } from '../journeys/journeys.ts'
import { secrets, serve } from '../journeys/server.ts'
import { assertAccessible } from './accessibility.ts'
import { openPage, withoutChromium } from './chromium.ts'
import type { Page, Request } from 'playwright-core'

const DASHBOARD_TOKEN = 'a token of a test, for the board.'

// Chromium says on every page that it has no use for this header over plain http from elsewhere.
const own = (errors: readonly string[]) => errors.filter(error => !error.startsWith('The Cross-Origin-Opener-Policy header has been ignored'))

const says = (page: Page, selector: string, hasText: string | RegExp) => page.locator(selector, { hasText }).first().waitFor()

t.test('the dashboard', { skip: withoutChromium }, async t => {
  const { url } = await serve(t)
  const visitor = client(url, '192.0.2.1')
  const user = visitor.as(await enter({ urls: [url] }, 'ada', '192.0.2.1'))

  t.test('shows the numbers of /metrics, live, and nobody\'s address', async t => {
    const { page, errors } = await openPage(t, `${url}/dashboard`)
    await says(page, '#connection', /^● live$/)
    await says(page, '#none-limited', 'Nobody was refused yet.')
    const empty = page.locator('#chart-ratio .plot[data-empty]')
    await empty.waitFor()
    for (let i = 0; i < 5; i++) await visitor.get('/weather?lat=52&lon=13&mock=true')
    for (let i = 0; i < 4; i++) await user.get('/ping')
    const { text } = await visitor.get('/metrics')
    // How many of each depends on how fast the machine is: what counts is that both say the same.
    const metric = (line: string) => new RegExp(`^${line} (\\d+)$`, 'm').exec(text)?.[1] ?? '0'
    const decided = (decision: string) => metric(`rate_limit_decisions_total\\{limit="ping-5s",route="GET /ping",decision="${decision}"\\}`)
    const hits = ['1', '2'].map(tier => metric(`cache_hits_total\\{cache_type="l${tier}",entity_type="weather"\\}`))
    const misses = metric('cache_misses_total\\{cache_type="l2",entity_type="weather"\\}')
    for (const [i, count] of hits.entries()) await says(page, `#total-hitsL${i + 1}`, new RegExp(`^${count}$`))
    await says(page, '#total-misses', new RegExp(`^${misses}$`))
    t.equal(hits.reduce((sum, count) => sum + Number(count), Number(misses)), 5)
    await says(page, '#figure-ratio', new RegExp(`^${100 - 20 * Number(misses)} %$`))
    await empty.waitFor({ state: 'detached' })
    await says(page, '#figure-p99', /^≤ [\d,]+ ms$/)
    await says(page, '#rows-decisions tr', new RegExp(`^GET /pingping-5s${decided('allowed')}${decided('refused')}0$`))
    await says(page, '#rows-limited tr', new RegExp(`^[0-9a-f]{8}ping-5s${decided('refused')}$`))
    await says(page, '#figure-unique', /^1$/)
    await says(page, '#figure-unique-interval', 'exact')
    await says(page, '#figure-sessions', /^1$/)
    await says(page, '#rows-callers tr', /^[0-9a-f]{8}1$/)
    await says(page, '#figure-redis', 'in memory')
    t.notMatch(await page.textContent('main'), /192\.0\.2|userID|ada/)
    t.same(errors, [])
  })

  t.test('says what the charts show in tables, too', async t => {
    const { page, errors } = await openPage(t, `${url}/dashboard`)
    await says(page, '#connection', 'live')
    const figures = await page.locator('figure').count()
    t.equal(await page.locator('figure canvas').count(), figures, 'each is drawn')
    for (let i = 0; i < figures; i++) await page.locator('figure summary').nth(i).press('Enter')
    for (let i = 0; i < figures; i++) await page.locator('figure').nth(i).locator('tbody tr').first().waitFor()
    for (let i = 0; i < figures; i++) t.equal(await page.locator('figure .scroll').nth(i).getAttribute('tabindex'), '0', 'the keyboard can scroll it')
    await page.setViewportSize({ width: 360, height: 740 })
    await assertAccessible(t, page)
    t.match(await page.locator('#chart-operations [role=img]').getAttribute('aria-label'), /^The last 15 minutes as lines\. Now: hits, this process [\d.,]+\/s, .+ minute by minute\.$/)
    t.same(errors, [])
  })

  t.test('cuts nothing off in a narrow window, and lines figures up in a wide one', async t => {
    const { page, errors } = await openPage(t, `${url}/dashboard`, { viewport: { width: 360, height: 740 } })
    await says(page, '#rows-decisions tr', 'ping-minute')
    await says(page, '#rows-unique-days tr', 'exact')
    t.same(await page.evaluate("[...document.querySelectorAll('.panel > .scroll')].filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ innerText }) => innerText)"), [])
    // The longest words of a figure beside the others.
    await says(page, '#figure-redis', 'in memory')
    const distinct = (side: string) => page.evaluate(`new Set([...document.querySelectorAll('.glance dd:not(.quiet)')].map(figure => Math.round(figure.getBoundingClientRect().${side}))).size`)
    for (const [width, lines] of [[1280, 2], [1920, 1]] as const) {
      await page.setViewportSize({ width, height: 800 })
      t.equal(await distinct('top'), lines)
      t.equal(await distinct('height'), 1, 'no figure needs a second line')
    }
    t.same(errors, [])
  })

  t.test('grows with its text: the charts, too', async t => {
    const { page, errors } = await openPage(t, `${url}/dashboard`, { viewport: { width: 1280, height: 800 } })
    const height = async () => Number(await page.evaluate("document.querySelector('#chart-ratio canvas').clientHeight"))
    const before = await height()
    await page.setViewportSize({ width: 3840, height: 2160 })
    await until('the chart to be larger', async () => await height() > before * 1.4)
    t.equal(await page.evaluate("document.querySelector('.brand').getBoundingClientRect().left - document.querySelector('h1').getBoundingClientRect().left"), 0, 'what is above stands in line with the rest')
    t.same(errors, [])
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [360, 1440]) {
      t.test(`axe finds no serious violation in ${colorScheme}, ${width} px wide`, async t => {
        const { page } = await openPage(t, `${url}/dashboard`, { colorScheme, viewport: { width, height: 800 } })
        await says(page, '#figure-sessions', /\d/)
        await assertAccessible(t, page)
      })
    }
  }
})

t.test('by another name than that of this machine the dashboard asks for the token', { skip: withoutChromium }, async t => {
  const { url } = await serve(t, { DASHBOARD_TOKEN })
  const { page, errors } = await openPage(t, `${url.replace('127.0.0.1', 'dashboard.test')}/dashboard`, { viewport: { width: 360, height: 740 } })
  await assertAccessible(t, page)
  await page.fill('#token', 'not the token')
  await page.press('#token', 'Enter')
  await says(page, '#sign-in-status', 'That is not the token!')
  t.match(own(errors.splice(0)), [/403/])
  await page.fill('#token', DASHBOARD_TOKEN)
  await page.press('#token', 'Enter')
  await says(page, '#connection', 'live')
  t.same(own(errors), [])
  await page.click('#sign-out')
  await page.locator('#sign-in').waitFor()
  t.ok(page.url().endsWith('/dashboard/sign-in'))
  // What was listening when the page was left has been given up by the browser.
  t.same(own(errors).filter(error => !error.includes('net::ERR_ABORTED')), [])
})

t.test('Redis is killed while somebody looks on, and comes back', { skip: withoutChromium }, async t => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const { url } = await serve(t, { ...secrets, REDIS_URL: redis.url })
  const visitor = client(url, '192.0.2.1')
  const { page, errors } = await openPage(t, `${url}/dashboard`)
  await says(page, '#figure-redis', /^up$/)
  await says(page, '#redis-breaker', /^Closed/)
  await says(page, '#redis-latency', /^[\d.]+ ms$/)
  await says(page, '#redis-server', /^(redis|valkey) \d/)
  await redis.kill()
  await says(page, '#figure-redis', /^(away|trying)$/)
  await says(page, '#redis-breaker', /^Closed: it holds nothing back, but there is no connection\.$|^Half-open|^Open/)
  await says(page, '#redis-meanwhile', 'The cache asks the source itself')
  await says(page, '#redis-latency', /^–$/)
  await says(page, '#figure-unique-interval', 'not known now')
  await says(page, '#figure-sessions', /^0$/)
  t.equal((await visitor.get('/weather?lat=1&lon=1&mock=true')).status, 200, 'the app stays up')
  await says(page, '#connection', 'live')
  await redis.restart()
  await says(page, '#figure-redis', /^up$/)
  await says(page, '#redis-meanwhile', 'Everything works as it should.')
  t.same(errors, [])
})

t.test('the server goes away while somebody looks on, and comes back', { skip: withoutChromium }, async t => {
  const first = await serve(t)
  const { port } = new URL(first.url)
  const { page } = await openPage(t, `${first.url}/dashboard`)
  await says(page, '#connection', /^● live$/)
  await first.app.close()
  await says(page, '#connection', /^✖ lost at \d\d:\d\d:\d\d, trying again/)
  await serve(t, { PORT: port })
  await says(page, '#connection', /^● live$/)
})

t.test('a page that was itself held up does not take its events for lost; one that hears nothing does', { skip: withoutChromium }, async t => {
  const { url } = await serve(t)
  const proxy = await startProxy(Number(new URL(url).port))
  t.teardown(() => proxy.stop())
  const { page } = await openPage(t, `http://127.0.0.1:${proxy.port}/dashboard`)
  await says(page, '#connection', /^● live$/)
  await page.clock.install()
  const asked: string[] = []
  page.on('request', request => { asked.push(request.url()) })
  await page.clock.fastForward('01:00')
  await client(url, '192.0.2.1').get('/weather?lat=52&lon=13&mock=true')
  await says(page, '#total-misses', /^1$/)
  t.strictSame(asked, [], 'what came meanwhile is heard first')
  proxy.blackHole = true
  await page.clock.runFor(8_000)
  await says(page, '#connection', /^✖ lost at \d\d:\d\d:\d\d, trying again/)
  proxy.blackHole = false
  await page.clock.runFor(10_000)
  await says(page, '#connection', /^● live$/)
})

t.test('a page for which the server has no room says that too many look on, and comes in when one leaves', { skip: withoutChromium }, async t => {
  const { url } = await serve(t)
  const viewers = await Promise.all(Array.from({ length: 20 }, () => listen(t, url)))
  t.ok(viewers.every(({ response }) => response.statusCode === 200))
  const { page } = await openPage(t, `${url}/dashboard`)
  await says(page, '#connection', /^▲ too many watch this dashboard just now/)
  await page.evaluate("window.said = []; new MutationObserver(() => said.push(document.getElementById('connection').textContent)).observe(document.getElementById('connection'), { childList: true })")
  viewers[0]!.close()
  await says(page, '#connection', /^● live$/)
  t.strictSame(await page.evaluate('said'), ['● live'], 'nothing was lost meanwhile')
})

t.test('a tab that nobody sees holds none of the few connections of its browser', { skip: withoutChromium }, async t => {
  const { url } = await serve(t)
  const { page, errors } = await openPage(t, `${url}/dashboard`)
  await says(page, '#connection', /^● live$/)
  const show = (hidden: boolean) => page.evaluate(`Object.defineProperty(document, 'hidden', { value: ${hidden}, configurable: true }); document.dispatchEvent(new Event('visibilitychange'))`)
  const events = (request: Request) => request.url().endsWith('/dashboard/events')
  const given = page.waitForEvent('requestfailed', events)
  await show(true)
  t.equal((await given).failure()?.errorText, 'net::ERR_ABORTED', 'it gives up its own')
  const asked = page.waitForRequest(events)
  await show(false)
  await asked
  await says(page, '#total-hitsL1', /^0$/)
  await client(url, '192.0.2.1').get('/weather?lat=52&lon=13&mock=true')
  await says(page, '#total-misses', /^1$/)
  t.same(errors.filter(error => !error.includes('net::ERR_ABORTED')), [])
})
