import { createClient } from 'redis'
import t from 'tap'
import { startRedis, until } from '@respite/testing'
import { type Where, assemble, coded } from '../assemble.ts'
import { routeContract } from '../contracts/route.ts'

const server = await startRedis()
t.teardown(() => server.stop())

routeContract(t, 'ioredis', keyPrefix => assemble({ url: server.url, keyPrefix, boot: 'wait' }))
// It names patterns, which hashed keys have none of.
routeContract(t, 'msgpack, compressed', keyPrefix => assemble({ url: server.url, keyPrefix, boot: 'wait' }, { ...coded, hashKeys: false }))
routeContract(t, 'node-redis', keyPrefix => assemble({ client: createClient({ url: server.url }), closeClient: true, keyPrefix, boot: 'wait' } as unknown as Where))

t.test('neither what varyBy says nor the value of a header of vary lies in a key in clear', async t => {
  const app = await assemble({ url: server.url, keyPrefix: 'varied', boot: 'wait' })
  t.teardown(() => app.close())
  app.get('/mine', { config: { cache: { ttl: '1h', varyBy: () => 'user-4711', vary: ['x-token'] } } }, async () => ({}))
  const state = async (token: string) => (await app.inject({ url: '/mine', headers: { 'x-token': token } })).headers['x-cache']
  t.equal(await state('secret-a'), 'MISS')
  await until('it is stored', async () => await state('secret-a') === 'HIT')
  t.equal(await state('secret-b'), 'MISS')
  const keys = (await app.redis.keys('varied*')).join()
  t.match(keys, /GET%20%2Fmine/)
  for (const clear of ['4711', 'secret']) t.notMatch(keys, clear)
})
