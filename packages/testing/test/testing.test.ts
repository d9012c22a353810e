import { once } from 'node:events'
import { createServer } from 'node:net'
import t from 'tap'
import { Redis } from 'ioredis'
import { freePort, openCluster, openNodeRedis, startCluster, startPostgres, startProxy, startRedis, until } from '@respite/testing'

t.test('starts a Redis of its own, which dies and comes back empty on the same port', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const client = new Redis(server.port, '127.0.0.1', { retryStrategy: () => 20 })
  client.on('error', () => undefined)
  t.teardown(() => client.disconnect())
  await client.set('a', '1')
  await server.restart()
  t.equal(await client.get('a'), null)
})

t.test('a server whose port somebody else has taken starts on another, and is not taken for him', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const taken = server.port
  await server.kill()
  const other = createServer(socket => socket.destroy()).listen(taken, '127.0.0.1')
  t.teardown(() => other.close())
  await once(other, 'listening')
  await server.restart()
  t.not(server.port, taken)
  const client = new Redis(server.port, '127.0.0.1')
  t.teardown(() => client.disconnect())
  t.match(await client.info('server'), `process_id:${server.pid}\r\n`)
})

t.test('a free port is none above the highest that will do', async t => {
  const ports = await Promise.all(Array.from({ length: 20 }, () => freePort(50_000)))
  t.ok(ports.every(port => port <= 50_000))
})

t.test('starts a Cluster of three masters that serves every slot', async t => {
  const cluster = await startCluster()
  t.teardown(() => cluster.stop())
  const client = new Redis(cluster.nodes[0]!.port, '127.0.0.1')
  t.teardown(() => client.disconnect())
  t.match(await client.call('CLUSTER', 'INFO'), /cluster_slots_ok:16384/)
})

t.test('proxies a connection, and swallows what passes on request', async t => {
  const server = await startRedis()
  const proxy = await startProxy(server.port)
  t.teardown(async () => { await proxy.stop(); await server.stop() })
  const client = new Redis(proxy.port, '127.0.0.1', { retryStrategy: null, maxRetriesPerRequest: 0, commandTimeout: 50 })
  client.on('error', () => undefined)
  t.equal(await client.ping(), 'PONG')
  proxy.blackHole = true
  await t.rejects(client.ping(), /timed out/)
  client.disconnect()
})

t.test('a proxy holds what the server says until it is released, and leaves those alone that are not meant', async t => {
  const server = await startRedis()
  const proxy = await startProxy(server.port)
  t.teardown(async () => { await proxy.stop(); await server.stop() })
  const [asking, hearing] = [new Redis(proxy.port, '127.0.0.1'), new Redis(proxy.port, '127.0.0.1')]
  t.teardown(() => { asking.disconnect(); hearing.disconnect() })
  await asking.ping()
  await hearing.subscribe('news')
  const heard: string[] = []
  hearing.on('message', (_, text) => { heard.push(text) })
  proxy.aim = 'others'
  proxy.hold()
  const answers = [asking.publish('news', 'first'), asking.publish('news', 'second')].map(answer => answer.then(count => { heard.push(`told ${count}`) }))
  await until('the messages come', () => heard.length === 2)
  t.same(heard, ['first', 'second'])
  proxy.release()
  await Promise.all(answers)
  proxy.aim = 'subscribers'
  proxy.blackHole = true
  t.equal(await asking.publish('news', 'third'), 1)
  t.same(heard, ['first', 'second', 'told 1', 'told 1'])
})

t.test('gives a Postgres schema of its own', async t => {
  const postgres = await startPostgres()
  t.teardown(() => postgres.stop())
  await postgres.query('CREATE TABLE a (b INT)')
  t.same((await postgres.query('SELECT count(*)::int AS n FROM a')).rows, [{ n: 0 }])
})

t.test('a Redis and a Cluster that are opened with a client end with the test, their clients first', async t => {
  const ends: (() => unknown)[] = []
  const test = { teardown: (end: () => unknown) => { ends.unshift(end) } }
  t.teardown(async () => { for (const end of ends) await end() })
  const gone: string[] = []
  const createClient = ({ url }: { url: string }) => ({ url, connected: false, on: () => {}, async connect () { this.connected = true }, destroy: () => { gone.push('the client') } })
  const { server, client } = await openNodeRedis(test, createClient)
  t.match(client, { url: server.url, connected: true })
  const { cluster, open } = await openCluster(test)
  const [one, two] = [open(), open({ scaleReads: 'slave' })]
  t.equal(await one.set('a', '1'), 'OK')
  t.equal(await two.get('a'), '1')
  t.equal(two.options.scaleReads, 'slave')

  const statuses = () => [one, two].map(({ status }) => status)
  const lives = ({ pid }: { pid: number }) => { try { return process.kill(pid, 0) } catch { return false } }
  for (const end of ends.splice(0, 2)) await end()
  t.same(statuses(), ['disconnecting', 'disconnecting'])
  t.ok(cluster.nodes.every(lives))
  await ends.shift()!()
  t.notOk(cluster.nodes.some(lives))
  await ends.shift()!()
  t.same([gone, lives(server)], [['the client'], true])
  await ends.shift()!()
  t.equal(lives(server), false)
})
