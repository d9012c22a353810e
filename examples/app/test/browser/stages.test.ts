import { startRedis, until } from '@respite/testing'
import type { Page } from 'playwright-core'
import t from 'tap'
import { startProxy } from '../../src/pair/proxy.ts'
import { secrets, serve } from '../journeys/server.ts'
import { client } from '../journeys/client.ts'
import { assertAccessible } from './accessibility.ts'
import { openPage, withoutChromium } from './chromium.ts'

// What Chromium says of answers that are refusals, which here are the show.
const refused = (error: string) => /^Failed to load resource: the server responded with a status of (401 \(Unauthorized\)|429 \(Too Many Requests\))$/.test(error)
const from = (address: string) => ({ extraHTTPHeaders: { 'x-forwarded-for': address } })
const says = (page: Page, id: string, text: RegExp) => page.locator(`#${id}`, { hasText: text }).waitFor()

/** From now on, what each of the elements says: all of it since the last time it was asked for. */
async function listen (page: Page, ...ids: string[]): Promise<() => Promise<string[][]>> {
  await page.evaluate(`window.said = ${JSON.stringify(ids)}.map(id => {
    const texts = []
    new MutationObserver(changes => changes.forEach(({ addedNodes }) => addedNodes.forEach(node => texts.push(node.data)))).observe(document.getElementById(id), { childList: true })
    return texts
  })`)
  return () => page.evaluate('said.map(texts => texts.splice(0))')
}

/** Within a moment, however slow the machine is: between two clicks that a test makes a window may pass. */
const pressTwice = (page: Page, id: string) => page.evaluate(`for (let i = 0; i < 2; i++) document.getElementById('${id}').click()`)

t.test('the stages, with one server', { skip: withoutChromium }, async t => {
  const { url } = await serve(t)

  t.test('a limit refuses the second call, counts its wait down, and grants one when it is over', async t => {
    const { page, errors } = await openPage(t, url, from('192.0.2.1'))
    const said = await listen(page, 'limit-status', 'budget-ping-5s-text', 'budget-ping-minute-text')
    await pressTwice(page, 'limit-ping')
    await page.locator('#limit-log li', { hasText: /^429: Rate limit exceeded in 5s period 1 time calling ping API! The wait is over\.$/ }).waitFor()
    const [status, fiveSeconds, minute] = await said()
    t.strictSame(status!.slice(0, 2), ['Signing up and logging in …', 'Granted.'])
    t.match(status![2], /^Refused for [1-5] s\.$/)
    t.equal(status!.length, 3, 'what counts down is not read out')
    t.match(fiveSeconds![0], /^0 of 1 free, one more in [1-5] s$/)
    t.match(minute, Array(minute!.length).fill(/^1 of 2 free, one more in \d+ s$/), 'what is refused is charged to neither')
    await pressTwice(page, 'limit-ping')
    await page.locator('#limit-log li').nth(3).waitFor()
    t.match((await said())[0], ['Granted.', /^Refused for [1-5]?\d s\.$/])
    await says(page, 'budget-ping-minute-text', /^0 of 2 free/)
    t.ok(Number(await page.getAttribute('#budget-ping-minute', 'aria-valuenow')) < 0.5)
    t.match(await page.getAttribute('#budget-ping-minute', 'aria-valuetext'), /^0 of 2 free/)
    t.same(errors.filter(error => !refused(error)), [])
  })

  t.test('a second log-in ends the first, which sees it', async t => {
    const { page, errors } = await openPage(t, url, from('192.0.2.2'))
    const loggedIn = page.waitForResponse(response => response.url().endsWith('/login'))
    await page.click('#here-login')
    const { sessionToken } = await (await loggedIn).json()
    await says(page, 'here-status', /^Alive/)
    await page.locator('#here-sessions li', { hasText: /^This session, since .+, idle until / }).waitFor()
    t.notOk((await page.content()).includes(sessionToken), 'its token is not shown')
    t.equal(await page.evaluate('localStorage.length + sessionStorage.length + document.cookie.length'), 0, 'nor kept')
    // A page that nobody sees asks nothing by itself: what it asks now is for the other log-in.
    await page.evaluate("Object.defineProperty(document, 'visibilityState', { value: 'hidden' })")
    await page.click('#elsewhere-login')
    await says(page, 'here-status', /^Ended: the server answers 401, “log in first”, [\d.,]+ m?s after the other log-in\.$/)
    await says(page, 'elsewhere-status', /^Alive/)
    t.equal(await page.locator('#here-sessions li').count(), 0)
    t.equal(await page.locator('#elsewhere-sessions li').count(), 1)
    t.ok(await page.isDisabled('#here-logout'))
    t.same(errors.filter(error => !refused(error)), [])
  })

  t.test('a session is revoked, and another logged out; the keyboard is not lost', async t => {
    const { page, errors } = await openPage(t, url, from('192.0.2.3'))
    await page.click('#elsewhere-login')
    await page.locator('#elsewhere-sessions button').press('Enter')
    await says(page, 'elsewhere-status', /^Revoked/)
    t.equal(await page.evaluate('document.activeElement.id'), 'elsewhere-login')
    await page.press('#elsewhere-login', 'Enter')
    await says(page, 'elsewhere-status', /^Alive/)
    await page.press('#elsewhere-logout', 'Enter')
    await says(page, 'elsewhere-status', /^Logged out\.$/)
    t.equal(await page.evaluate('document.activeElement.id'), 'elsewhere-login')
    t.same(errors.filter(error => !refused(error)), [], 'a look that was under way may be refused')
  })

  t.test('a session that is ended elsewhere is seen to be, without a click', async t => {
    const { page, errors } = await openPage(t, url, from('192.0.2.4'))
    const asked = page.waitForRequest(request => request.url().endsWith('/login'))
    await page.click('#here-login')
    await says(page, 'here-status', /^Alive/)
    const { username, password } = (await asked).postDataJSON()
    t.equal((await client(url, '192.0.2.5').post('/login', { username, password })).status, 200)
    await says(page, 'here-status', /^Ended/)
    t.same(errors.filter(error => !refused(error)), [])
  })

  t.test('too many log-ins are refused in words', async t => {
    const { page, errors } = await openPage(t, url, from('192.0.2.6'))
    for (let i = 0; i < 5; i++) await client(url, '192.0.2.6').post('/login', { username: 'nobody', password: 'x' })
    for (const [button, status] of [['here-login', 'here-status'], ['limit-ping', 'limit-status']] as const) {
      await page.click(`#${button}`)
      await says(page, status, /^No log-in\. Refused with 429: .+ \d+ s\.$/)
    }
    t.same(errors.filter(error => !refused(error)), [])
  })

  t.test('an edit is seen in the memory of the server and in the store behind; no entry is left when the page goes', async t => {
    const { page, errors } = await openPage(t, url, from('192.0.2.7'))
    await page.click('#entry-act')
    await says(page, 'entry-status', /^One server has a copy\. Edit the entry\.$/)
    await page.click('text="Edit the entry"')
    await says(page, 'entry-status', /^The one server showed version 2 after [\d.,]+ ms\.$/)
    await page.locator('#entry-copies li', { hasText: /^Server \S+\s*shows\s*version 2, the newest\s*from\s*its own memory \(L1\)\s*age\s*[\d.,]+ ms$/ }).waitFor()
    await page.locator('#entry-copies li', { hasText: /^The store behind \(L2\)\s*shows\s*version 2, the newest\s*from\s*the shared store \(L2\)\s*age\s*[\d.,]+ ms$/ }).waitFor()
    t.equal(await page.locator('#entry-copies li').count(), 2)
    t.same(errors, [])
    // Each time from another address: one alone would soon be refused.
    let asked = 0
    const total = async () => (await client(url, `2001:db8:${(++asked).toString(16)}::1`).get('/entries')).json.total
    t.equal(await total(), 1)
    await page.goto('about:blank')
    await until('the entry to be gone', async () => await total() === 0)
  })

  t.test('a page that comes back after it was left begins with a new entry', async t => {
    const { page, errors } = await openPage(t, url, from('192.0.2.9'))
    await page.click('#entry-act')
    await says(page, 'entry-status', /^One server has a copy\./)
    await page.evaluate("dispatchEvent(new Event('pagehide'))")
    t.equal(await page.locator('#entry-copies li').count(), 0)
    await page.click('text="Write an entry"')
    await says(page, 'entry-status', /^One server has a copy\./)
    t.same(errors.filter(error => !error.includes('404')), [], 'but for a look at the old one that was on its way')
  })

  t.test('an edit is told of over a slow line too', async t => {
    const { page, errors } = await openPage(t, url, from('192.0.2.10'))
    await page.clock.install()
    await page.route('**/copy*', async route => {
      await page.clock.fastForward(2_000)
      await route.continue()
    })
    await page.click('#entry-act')
    await says(page, 'entry-status', /^One server has a copy\./)
    await page.locator('#entry-copies li', { hasText: 'The store behind' }).waitFor()
    t.same(errors, [])
  })

  t.test('a visitor whose sign-up was not answered, or whom the server has forgotten, signs up anew', async t => {
    const { page } = await openPage(t, url, from('192.0.2.11'))
    await page.route('**/signup', async route => {
      await route.fetch()
      await route.abort()
    }, { times: 1 })
    await page.click('#here-login')
    await says(page, 'here-status', /^No log-in\. The server cannot be reached\.$/)
    await page.click('#here-login')
    await says(page, 'here-status', /^Alive/)
    await page.route('**/login', route => route.fulfill({ status: 401, json: { error: 'Username or password was wrong!' } }), { times: 1 })
    await page.click('#elsewhere-login')
    await says(page, 'elsewhere-status', /^No log-in\. Refused with 401/)
    await page.click('#elsewhere-login')
    await says(page, 'elsewhere-status', /^Alive/)
  })

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [360, 1440]) {
      t.test(`axe finds no serious violation in ${colorScheme}, ${width} px wide, with the stages in use`, async t => {
        const options = { colorScheme, viewport: { width, height: 740 }, reducedMotion: 'reduce' } as const
        const { page } = await openPage(t, url, { ...options, ...from(`198.51.100.${colorScheme.length + width % 100}`) })
        await pressTwice(page, 'limit-ping')
        for (const id of ['here-login', 'elsewhere-login', 'entry-act']) await page.click(`#${id}`)
        await says(page, 'limit-status', /^Refused/)
        await says(page, 'here-status', /^Ended/)
        await page.locator('#elsewhere-sessions li').waitFor()
        await page.locator('#entry-copies li', { hasText: 'The store behind' }).waitFor()
        await assertAccessible(t, page)
      })
    }
  }
})

t.test('limits for all routes are none that the page shows, and do not stop it', { skip: withoutChromium }, async t => {
  const { url } = await serve(t, { RATE_LIMIT_PER_HOUR: '1000', RATE_LIMIT_BURST: '500' })
  const { page, errors } = await openPage(t, url)
  await pressTwice(page, 'limit-ping')
  await says(page, 'limit-status', /^Refused for [1-5] s\.$/)
  await says(page, 'budget-ping-minute-text', /^1 of 2 free/)
  t.same(errors.filter(error => !refused(error)), [])
})

t.test('with two servers over one Redis, an edit reaches the copies of both', { skip: withoutChromium }, async t => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const variables = { ...secrets, DATA_DIR: t.testdir(), REDIS_URL: redis.url }
  const ports = [await serve(t, variables), await serve(t, variables)].map(({ url }) => Number(new URL(url).port))
  const proxy = await startProxy(ports, { host: '127.0.0.1', port: 0 })
  t.teardown(() => proxy.stop())
  const { page, errors } = await openPage(t, `http://127.0.0.1:${proxy.port}`)
  await page.click('#entry-act')
  await says(page, 'entry-status', /^2 servers have a copy\. Edit the entry\.$/)
  for (const version of [2, 3]) {
    await page.click('text="Edit the entry"')
    await says(page, 'entry-status', new RegExp(`^Both servers showed version ${version} after [\\d.,]+ ms\\.$`))
    for (const place of [0, 1]) await page.locator('#entry-copies li', { hasText: /^Server / }).nth(place).locator('.shows', { hasText: `version ${version}, the newest` }).waitFor()
  }
  await page.locator('#entry-copies li', { hasText: 'The store behind' }).waitFor()
  t.equal(await page.locator('#entry-copies li').count(), 3)
  t.same(errors, [])
})

t.test('a copy in the store behind that nobody can look at is not called the newest after an edit', { skip: withoutChromium }, async t => {
  const redis = await startRedis()
  t.teardown(() => redis.stop())
  const { url } = await serve(t, { ...secrets, REDIS_URL: redis.url })
  const { page } = await openPage(t, url)
  const shared = page.locator('#entry-copies li', { hasText: 'The store behind' })
  await page.click('#entry-act')
  await shared.locator('.shows', { hasText: /^version 1, the newest$/ }).waitFor()
  await redis.kill()
  await page.click('#entry-act')
  await shared.locator('.shows', { hasText: /^version 1, before the edit$/ }).waitFor()
  await says(page, 'entry-status', /^The one server showed version 2/)
  await shared.waitFor({ state: 'detached' })
  await page.locator('#entry-copies li .shows', { hasText: /^version 2, the newest$/ }).waitFor()
})
