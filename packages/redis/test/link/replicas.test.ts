import { createServer, type AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { startCluster, startRedis, until } from '@respite/testing'
import { Cluster, Redis } from 'ioredis'
import { createCluster } from 'redis'
import { connected, connect, isUp } from '../connect.ts'
import { scribe } from '../contracts/invalidations.ts'
import { instanceOver } from '../instance.ts'
import { defineScript } from '../../src/script.ts'

const look = defineScript('test.look', "return redis.call('GET', KEYS[1])", { flags: ['no-writes'] })

/** A master and a replica that follows it. */
async function startPair (t: Test) {
  const master = await startRedis()
  t.teardown(() => master.stop())
  const replica = await startRedis('--replicaof', '127.0.0.1', String(master.port))
  t.teardown(() => replica.stop())
  const [writer, follower] = [new Redis(master.url), new Redis(replica.url)]
  t.teardown(() => { writer.disconnect(); follower.disconnect() })
  await until('the replica follows', async () => (await follower.info('replication')).includes('master_link_status:up'))
  return { master, replica, writer, follower }
}

t.test('R14: a server that is a replica is asked for nothing, tells nothing, and serves as soon as it is promoted', async t => {
  const { replica, writer, follower } = await startPair(t)
  await writer.set('k:1', 'v1')
  await until('the replica has it', async () => await follower.get('k:1') === 'v1')
  const client = new Redis(replica.url, { lazyConnect: true })
  const { link, adapter } = connect(client)
  await until('it is known', () => link.reason === 'READONLY: the server is a replica')
  t.equal(link.state, 'degraded')
  await t.rejects(link.send('GET', 'k:1'), { code: 'FST_RSP_REDIS_REPLY', outcome: 'refused', reply: 'READONLY' })
  await t.rejects(link.run(look, ['k:1'], []), { code: 'FST_RSP_REDIS_REPLY', reply: 'READONLY' })
  t.equal(link.breakerState, 'closed')
  await follower.replicaof('NO', 'ONE')
  await isUp(link)
  t.equal(await link.send('GET', 'k:1'), 'v1')
  t.equal(adapter.connected, true)
})

t.test('R14: a master that becomes a replica tells of nothing any more, within the bound of a silent loss', async t => {
  const { master, replica, writer } = await startPair(t)
  const { invalidations, link } = await instanceOver(t, connect(new Redis(master.url, { lazyConnect: true })).adapter)
  const told = scribe()
  invalidations.follow(['k:'], told)
  await until('it is armed', () => invalidations.armed)
  const mark = invalidations.mark(['k:1'])
  await writer.replicaof('127.0.0.1', String(replica.port))
  const demotedAt = performance.now()
  let armedLast = demotedAt
  await until('no copy is used', () => {
    const now = performance.now()
    if (invalidations.armed) armedLast = now
    return now > demotedAt + 2_100
  })
  t.ok(armedLast - demotedAt < 2_000, `armed for ${Math.round(armedLast - demotedAt)} ms`)
  t.equal(mark.mayKeep('k:1'), false)
  t.ok(told.alls >= 2)
  await until('nothing is read', async () => await link.send('GET', 'k:1').then(() => '', ({ reply }: { reply: string }) => reply) === 'READONLY')
})

t.test('R14: a Cluster is asked at its masters, whatever the client was made to read from', async t => {
  const cluster = await startCluster(1)
  t.teardown(() => cluster.stop())
  const admins = cluster.nodes.map(({ port }) => new Redis(port, '127.0.0.1'))
  t.teardown(() => { for (const admin of admins) admin.disconnect() })
  const rootNodes = cluster.startupNodes.map(({ host, port }) => ({ socket: { host, port } }))
  const startupNodes = [...cluster.startupNodes]
  const clients: [string, () => object][] = [
    ['ioredis, scaleReads', () => new Cluster(startupNodes, { scaleReads: 'slave', redisOptions: { readOnly: true } as object, lazyConnect: true })],
    ['ioredis, the replicas as first nodes', () => new Cluster(cluster.nodes.slice(3).map(({ port }) => ({ host: '127.0.0.1', port })), { scaleReads: 'all', lazyConnect: true })],
    ['node-redis, useReplicas', () => createCluster({ rootNodes, useReplicas: true, defaults: { readonly: true } })]
  ]
  for (const [name, make] of clients) {
    await Promise.all(admins.map(admin => admin.config('RESETSTAT')))
    const { link } = await connected(make())
    for (let i = 0; i < 30; i++) {
      t.equal(await link.send('GET', `k${i}`), null)
      t.equal(await link.run(look, [`k${i}`], []), null)
    }
    const reads = await Promise.all(admins.map(async admin => [...(await admin.info('commandstats')).matchAll(/cmdstat_(?:get|evalsha):calls=(\d+)/g)].reduce((sum, [, calls]) => sum + Number(calls), 0)))
    t.ok(reads.slice(0, 3).every(count => count > 0), name)
    t.strictSame(reads.slice(3), [0, 0, 0], name)
  }
})

t.test("R14: of a Sentinel's servers the link asks the master, though the client is for replicas", async t => {
  const { master, replica } = await startPair(t)
  const asked: string[] = []
  const bulk = (text: string | number) => `$${String(text).length}\r\n${text}\r\n`
  const list = (items: string[]) => `*${items.length}\r\n${items.join('')}`
  // Plays a Sentinel, as far as a client asks one.
  const sentinel = createServer(socket => socket.on('error', () => socket.destroy()).on('data', bytes => {
    for (const command of bytes.toString().toLowerCase().split(/(?=\*\d+\r\n)/)) {
      asked.push(command.split('\r\n').filter((_, i) => i > 0 && i % 2 === 0).join(' '))
      if (command.includes('get-master-addr-by-name')) socket.write(list([bulk('127.0.0.1'), bulk(master.port)]))
      else if (/slaves|replicas/.test(command)) socket.write(list([list(['ip', '127.0.0.1', 'port', String(replica.port), 'flags', 'slave'].map(bulk))]))
      else if (command.includes('sentinel')) socket.write(list([]))
      else socket.write('+OK\r\n')
    }
  })).listen(0, '127.0.0.1')
  await new Promise(resolve => sentinel.once('listening', resolve))
  t.teardown(() => sentinel.close())
  const { port } = sentinel.address() as AddressInfo
  const { link } = await connected(new Redis({ sentinels: [{ host: '127.0.0.1', port }], name: 'main', role: 'slave', lazyConnect: true }))
  t.equal(await link.send('SET', 'a', 'b'), 'OK')
  t.ok(asked.some(command => command.includes('get-master-addr-by-name main')))
  t.notOk(asked.some(command => /slaves|replicas/.test(command)))
})
