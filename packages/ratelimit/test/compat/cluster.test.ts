import { openCluster } from '@respite/testing'
import { Redis } from 'ioredis'
import t from 'tap'
import { statuses } from '../app.ts'
import { compatApp, compatContract } from '../contracts/compat.ts'

const { cluster, open: clientOf } = await openCluster(t)
const nodes = cluster.nodes.map(({ port }) => new Redis(port))
t.teardown(() => { for (const node of nodes) node.disconnect() })

async function fresh () {
  for (const node of nodes) await node.flushall()
  return { clientOf, keys: async () => (await Promise.all(nodes.map(node => node.keys('*')))).flat() }
}

compatContract(t, fresh)

t.test('clients are counted by every master, each for itself, and by all processes alike', async t => {
  await fresh()
  const [one, two] = [await compatApp(t, { redis: clientOf(), max: 2 }), await compatApp(t, { redis: clientOf(), max: 2 })]
  for (let i = 0; i < 60; i++) {
    const request = { url: '/', remoteAddress: `192.0.2.${i}` }
    const seen = [...await statuses(one, 1, request), ...await statuses(two, 1, request), ...await statuses(one, 1, request)]
    t.same(seen, [200, 200, 429], request.remoteAddress)
  }
  t.ok((await Promise.all(nodes.map(node => node.dbsize()))).every(size => size > 0))
})
