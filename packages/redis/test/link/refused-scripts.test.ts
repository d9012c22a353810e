import t, { type Test } from 'tap'
import { startCluster, startRedis, until } from '@respite/testing'
import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import { connect, isUp } from '../connect.ts'
import { defineScript } from '../../src/script.ts'
import { becomes, mockedLink } from './mocked-link.ts'

const put = defineScript('test.put', "redis.call('SET', KEYS[1], ARGV[1])\nreturn 1")
const user = ['--user', 'me', 'on', '>s3cret', '~*', '&*', '+@all']
const flavours = { ioredis: (url: string) => new Redis(url, { lazyConnect: true }), 'node-redis': (url: string) => createClient({ url }) }
type Made = ReturnType<typeof connect>

const refusedRuns = async (admin: Redis) => Number(/cmdstat_evalsha:.*rejected_calls=(\d+)/.exec(await admin.info('commandstats'))?.[1] ?? 0)

/** Says so at once, sends none, and all else as before. */
async function refuses (t: Test, { link, lines }: Made, reason: RegExp): Promise<void> {
  await until('it is known', () => /^it refuses scripts/.test(link.reason ?? ''))
  t.match(link, { state: 'degraded', reason })
  await t.rejects(link.run(put, ['a'], ['1']), { code: 'FST_RSP_REDIS_REPLY', outcome: 'refused', reply: /^(NOPERM|ERR)$/ })
  t.equal(await link.send('SET', 'b', '2'), 'OK')
  t.equal(link.breakerState, 'closed')
  t.match(lines.filter(({ level }) => level >= 40), [{ msg: 'Redis is degraded', reason }])
  t.notMatch(JSON.stringify(lines), 's3cret')
}

for (const [flavour, make] of Object.entries(flavours)) {
  // Seen: the state was `up` while nothing was cached and every process counted by itself.
  t.test(`a user who may run no scripts is told so, at once and in /health's words, until its rights are mended (${flavour})`, async t => {
    const server = await startRedis(...user, '-@scripting')
    t.teardown(() => server.stop())
    const admin = new Redis(server.url)
    t.teardown(() => { admin.disconnect() })
    const made = connect(make(`redis://me:s3cret@127.0.0.1:${server.port}`))
    await refuses(t, made, /^it refuses scripts: NOPERM .*'evalsha'/)
    const { link, lines } = made
    const before = await refusedRuns(admin)
    t.ok(before > 0)
    await Promise.all(Array.from({ length: 20 }, () => t.rejects(link.run(put, ['a'], ['1']), { code: 'FST_RSP_REDIS_REPLY', reply: 'NOPERM' })))
    t.ok(await refusedRuns(admin) - before < 20, 'none is sent to be refused')
    await admin.call('ACL', 'SETUSER', 'me', '+@scripting')
    await isUp(link)
    t.equal(await link.run(put, ['a'], ['1']), 1)
    t.same(lines.filter(({ level }) => level >= 30).map(({ msg }) => msg), ['Redis is degraded', 'Redis is back'])
  })

  t.test(`rights that are taken from a living connection are noticed by the first script that is refused (${flavour})`, async t => {
    const server = await startRedis(...user)
    t.teardown(() => server.stop())
    const admin = new Redis(server.url)
    t.teardown(() => { admin.disconnect() })
    const made = connect(make(`redis://me:s3cret@127.0.0.1:${server.port}`))
    await isUp(made.link)
    t.equal(await made.link.run(put, ['a'], ['1']), 1)
    await admin.call('ACL', 'SETUSER', 'me', '-evalsha')
    await t.rejects(made.link.run(put, ['a'], ['1']), { code: 'FST_RSP_REDIS_REPLY', reply: 'NOPERM' })
    await refuses(t, made, /^it refuses scripts: NOPERM/)
    await admin.call('ACL', 'SETUSER', 'me', '+evalsha')
    await isUp(made.link)
  })

  for (const name of ['EVALSHA', 'SCRIPT']) {
    t.test(`a server that has no ${name} runs no scripts (${flavour})`, async t => {
      const server = await startRedis('--rename-command', name, '')
      t.teardown(() => server.stop())
      await refuses(t, connect(make(server.url)), new RegExp(`^it refuses scripts: ERR unknown command '${name}'$`, 'i'))
    })
  }

  t.test(`EVAL alone is not missed: scripts are run by their hash (${flavour})`, async t => {
    const server = await startRedis('--rename-command', 'EVAL', '')
    t.teardown(() => server.stop())
    const { link } = connect(make(server.url))
    await isUp(link)
    t.equal(await link.run(put, ['a'], ['1']), 1)
  })
}

t.test('of a Cluster one master is enough to say so, and the scripts of the others run', async t => {
  const cluster = await startCluster()
  t.teardown(() => cluster.stop())
  const admins = cluster.nodes.map(({ port }) => new Redis(port, '127.0.0.1'))
  t.teardown(() => { for (const admin of admins) admin.disconnect() })
  const setUser = (admin: Redis, ...rights: string[]) => admin.call('ACL', 'SETUSER', 'me', 'on', '>s3cret', '~*', '&*', '+@all', ...rights)
  const startupNodes = [...cluster.startupNodes]
  const clients = {
    ioredis: () => new Cluster(startupNodes, { lazyConnect: true, redisOptions: { username: 'me', password: 's3cret' } }),
    'node-redis': () => createCluster({ rootNodes: startupNodes.map(({ host, port }) => ({ socket: { host, port } })), defaults: { username: 'me', password: 's3cret' } })
  }
  for (const [flavour, make] of Object.entries(clients)) {
    await Promise.all(admins.map((admin, i) => setUser(admin, ...(i === 0 ? ['-@scripting'] : []))))
    const { link } = connect(make())
    await until('it is known', () => /^it refuses scripts: NOPERM/.test(link.reason ?? ''))
    t.equal(link.state, 'degraded', flavour)
    const runs = await Promise.allSettled(Array.from({ length: 30 }, (_, i) => link.run(put, [`k${i}`], [i])))
    const refused = runs.filter(({ status }) => status === 'rejected')
    t.ok(refused.length > 0 && refused.length < 30, `${flavour}: ${refused.length} of 30 are refused`)
    for (const run of refused) t.match(run, { reason: { reply: 'NOPERM' } })
    await setUser(admins[0]!)
    await isUp(link)
    await Promise.all(Array.from({ length: 30 }, (_, i) => link.run(put, [`k${i}`], [i])))
  }
})

t.test('what else becomes of the question says nothing of scripts, and it is asked again', async t => {
  const { link, adapter, lines } = await mockedLink(t)
  adapter.refuse('LOADING Redis is loading the dataset in memory')
  adapter.lose()
  adapter.connect()
  await becomes(link, 'degraded')
  t.match(link.reason, /^LOADING/)
  adapter.refuse('NOPERM this user may not')
  await until('it is asked again', () => /^it refuses scripts: NOPERM/.test(link.reason ?? ''))
  adapter.refuse()
  await becomes(link, 'up')
  t.equal(lines.filter(line => line === 'Redis is back').length, 1)
})

// Seen: the look that was under way took the doubt for settled, and the state stayed `up` until a script was refused again.
t.test('a script that is refused while the server is being looked at is a doubt for the next look', async t => {
  const { link, adapter } = await mockedLink(t)
  adapter.hush()
  const before = adapter.sent.length
  await until('it is being looked at', () => adapter.sent.length > before)
  const run = link.run(put, ['a'], ['1'])
  adapter.refuse('NOPERM this user may not')
  adapter.speak()
  await t.rejects(run, { code: 'FST_RSP_REDIS_REPLY', reply: 'NOPERM' })
  await until('it is known', () => /^it refuses scripts: NOPERM/.test(link.reason ?? ''))
  adapter.refuse()
  await becomes(link, 'up')
})
