import t from 'tap'
import { seeded, until } from '@respite/testing'
import { isLive } from '../../src/stores/store.ts'
import { copiesOf, openHouse, type TestHouse } from '../redis/house.ts'
import { bearer, loggedIn, status } from '../shop.ts'

// What a command may take to reach Redis: by that much a copy may outlive its row.
const onItsWayMs = 2_000
const slow = { durableDeadline: '30s', trust: '30s', durableDown: '60s', idle: '40s' } as const

/** By how much a copy outlives its row, ms; the store is asked first, so that what passes between counts against nobody. */
async function outlives (house: TestHouse): Promise<number> {
  const [key] = [...(await copiesOf(house.client)).keys()] as [string]
  const found = await house.watched.store.find(key.split(':').at(-1)!)
  const leftMs = isLive(found) ? found.leftMs : 0
  return await house.client.pttl(key) - leftMs
}

t.test('T14: whatever is done, a copy in Redis never outlives its row', async t => {
  const house = await openHouse(t)
  const random = seeded(t)
  const apps = [await house.app({ idle: '40s', touchEvery: 0, absolute: '50s' }), await house.app({ idle: '20s', touchEvery: 0, absolute: '50s' })]
  const token = await loggedIn(apps[0]!)
  for (let i = 0; i < 40; i++) {
    const app = apps[random.below(2)]!
    const what = random.below(3)
    if (what === 0) await house.client.flushall()
    if (what === 1) t.equal((await app.inject({ method: 'POST', url: `/field/f${i}`, payload: { i }, headers: bearer(token) })).statusCode, 200)
    else t.equal(await status(app, token), 200)
    await until('the copy', async () => await status(app, token) === 200 && (await copiesOf(house.client)).size === 1)
    const ms = await outlives(house)
    if (ms > onItsWayMs) t.fail(`the copy outlives its row by ${ms} ms after operation ${i}`)
  }
})

for (const [name, step] of [['fill', 'find'], ['log-in', 'login'], ['touch', 'touch']] as const) {
  t.test(`T14: the time that the durable store took to answer is no part of a copy's expiry, after a ${name}`, async t => {
    const house = await openHouse(t)
    const maker = await house.app({ ...slow, touchEvery: '30s' })
    const app = await house.app({ ...slow, touchEvery: step === 'touch' ? 0 : '30s' })
    const token = step === 'login' ? '' : await loggedIn(maker)
    if (step === 'find') await house.client.flushall()
    app.watched.after.set(step, async () => {
      const answered = performance.now()
      await until('twice as long', () => performance.now() - answered > 2 * onItsWayMs)
    })
    if (step === 'login') await loggedIn(app)
    else t.equal(await status(app, token), 200)
    // What is under way in the background is over.
    await app.close()
    t.equal(app.watched.count(step), 1)
    const ms = await outlives(house)
    t.ok(ms <= onItsWayMs, `outlives its row by ${ms} ms`)
  })
}
