import { until } from '@respite/testing'
import t from 'tap'
import { cookieOf } from '../shop.ts'
import { copiesOf, openHouse } from './house.ts'

t.test('a remembered session is touched by its own idle time, also by an instance that finds it in Redis', async t => {
  const house = await openHouse(t)
  const options = { idle: '2s', touchEvery: '1s', remember: { idle: '10m', absolute: '20m' } } as const
  const [here, there] = [await house.app(options), await house.app(options)]
  const cookie = cookieOf(await here.inject({ method: 'POST', url: '/login/ada', payload: { remember: true } }))
  await until('the copy', async () => (await there.inject({ url: '/me', headers: { cookie } })).statusCode === 200 && there.watched.count('touch') > 0)
  const copies = [...(await copiesOf(house.client)).entries()]
  t.match(copies[0]![1], { m: '600000' })
  const left = await house.client.pttl(copies[0]![0])
  t.ok(left > 540_000 && left <= 600_000, `${left} ms`)
})
