import t from 'tap'
import { startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import { createKeyspace, wild } from '../../src/index.ts'
import { connected } from '../connect.ts'

const server = await startRedis()
t.teardown(() => server.stop())

t.test('two apps with two prefixes on one server never meet', async t => {
  const apps = await Promise.all(['shop', 'shop2'].map(async prefix => {
    const { link } = await connected(new Redis(server.url, { lazyConnect: true }))
    return { link, shape: createKeyspace(prefix).define('thing:{<name>}') }
  }))
  for (const { link, shape } of apps) await link.send('SET', shape.key('a'), shape.prefix)
  for (const { link, shape } of apps) {
    t.equal(await link.send('GET', shape.key('a')), shape.prefix)
    const seen: string[] = []
    await link.scan(shape.glob(wild('*')), keys => { seen.push(...keys) })
    t.same(seen, [shape.key('a')])
  }
})
