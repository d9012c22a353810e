import t from 'tap'
import { freePort, startProxy, startRedis, until } from '@respite/testing'
import { execFileSync } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { connect, connected, isUp } from '../connect.ts'

const flavours = { ioredis: (url: string) => new Redis(url, { lazyConnect: true }), 'node-redis': (url: string) => createClient({ url }) }
const seldom = { breaker: { failures: 5, probeEveryMs: 60_000 } }

for (const [flavour, make] of Object.entries(flavours)) {
  t.test(`with Redis down the link says so once, and is up when it comes (${flavour})`, async t => {
    const server = await startRedis('--user', 'me', 'on', '>s3cret', '~*', '&*', '+@all')
    t.teardown(() => server.stop())
    await server.kill()
    const { link, lines } = connect(make(`redis://me:s3cret@127.0.0.1:${server.port}`))
    await until('the reason', () => /ECONNREFUSED/.test(link.reason ?? ''))
    t.equal(link.state, 'down')
    await t.rejects(link.send('GET', 'a'), { code: 'FST_RSP_REDIS_DOWN', outcome: 'not-sent' })
    await server.restart()
    await isUp(link)
    t.same(lines.filter(({ level }) => level >= 30).map(({ msg }) => msg), ['Redis is down', 'Redis is back'])
    t.notMatch(JSON.stringify(lines), 's3cret')
  })

  t.test(`a wrong password, a database out of range: each says what is wrong, and is up once it is mended (${flavour})`, async t => {
    const server = await startRedis('--requirepass', 'right', '--databases', '4')
    t.teardown(() => server.stop())
    const admin = new Redis(server.port, '127.0.0.1', { password: 'right' })
    t.teardown(() => { admin.disconnect() })
    const cases: [string, RegExp, () => Promise<unknown>][] = [
      [`redis://:wr0ng@127.0.0.1:${server.port}`, /WRONGPASS/, () => admin.call('ACL', 'SETUSER', 'default', '>wr0ng')],
      [`redis://127.0.0.1:${server.port}`, /NOAUTH/, () => admin.call('ACL', 'SETUSER', 'default', 'nopass')]
    ]
    for (const [url, reason, mend] of cases) {
      const { link, lines } = connect(make(url))
      await until('the reason', () => reason.test(link.reason ?? ''))
      t.not(link.state, 'up')
      await mend()
      await isUp(link)
      t.equal(lines.filter(({ level }) => level >= 30).length, 2, 'one line for the loss, one for the return')
      t.notMatch(JSON.stringify(lines), 'wr0ng')
    }
    const { link } = connect(make(`redis://127.0.0.1:${server.port}/9`))
    await until('the reason', () => /out of range/.test(link.reason ?? ''))
    t.equal(link.state, 'down')
  })

  t.test(`while Redis hangs nobody waits past the deadline, and then nobody waits at all (${flavour})`, async t => {
    const server = await startRedis()
    t.teardown(() => server.stop())
    const { link } = await connected(make(server.url), { deadlineMs: 50, ...seldom })
    server.freeze()
    // At least five: one that expires while this machine is held up counts for nothing.
    let expired = 0
    for (; link.breakerState === 'closed'; expired++) await t.rejects(link.send('GET', 'a'), { code: 'FST_RSP_REDIS_TIMEOUT', outcome: 'unknown' })
    t.ok(expired >= 5)
    t.equal(link.state, 'down')
    let refused = 0
    for (let i = 0; i < 100; i++) link.send('GET', 'a').catch(({ code }) => { if (code === 'FST_RSP_REDIS_DOWN') refused++ })
    await new Promise(resolve => setImmediate(resolve))
    t.equal(refused, 100, 'within the turn of the event loop')
  })

  t.test(`the link is back soon after Redis is, whether that hung or was killed (${flavour})`, async t => {
    const server = await startRedis()
    t.teardown(() => server.stop())
    const { link, lines } = await connected(make(server.url), { deadlineMs: 50 })
    const era = link.eraOf('a')
    server.freeze()
    await until('it is down', () => link.send('GET', 'a').then(() => false, () => link.state === 'down'))
    server.thaw()
    await isUp(link)
    t.equal(link.eraOf('a'), era, 'it is the same server')
    const { generation } = link
    await server.kill()
    await until('it is down', () => link.state === 'down')
    t.equal(link.eraOf('a'), undefined)
    await server.restart()
    await isUp(link)
    t.ok(link.generation > generation)
    t.not(link.eraOf('a'), era, 'an empty server is another')
    t.equal(lines.filter(({ level }) => level >= 40).length, 2)
  })

  t.test(`a connection cut in mid-reply loses what was under way, and nothing is sent again (${flavour})`, async t => {
    const server = await startRedis()
    const proxy = await startProxy(server.port)
    t.teardown(async () => { await proxy.stop(); await server.stop() })
    const { link } = await connected(make(`redis://127.0.0.1:${proxy.port}`), { deadlineMs: 5_000, ...seldom })
    const admin = new Redis(server.port, '127.0.0.1')
    t.teardown(() => { admin.disconnect() })
    proxy.replyDelayMs = 60_000
    const asked = Array.from({ length: 20 }, () => link.send('INCR', 'n'))
    const settled = Promise.allSettled(asked)
    await until('they were executed', async () => await admin.get('n') === '20')
    proxy.replyDelayMs = 0
    proxy.cut()
    for (const result of await settled) t.match(result, { status: 'rejected', reason: { code: 'FST_RSP_REDIS_LOST', outcome: 'unknown' } })
    await isUp(link)
    t.equal(link.breakerState, 'closed', 'one cut is one failure')
    t.equal(await link.send('GET', 'n'), '20')
  })
}

t.test('TLS where there is none, or none where there is: the link is down and says why', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'respite-tls-'))
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2', '-subj', '/CN=localhost'], { stdio: 'ignore' })
  const plain = await startRedis()
  t.teardown(() => plain.stop())
  const tlsPort = await freePort()
  const secure = await startRedis('--tls-port', String(tlsPort), '--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert, '--tls-auth-clients', 'no')
  t.teardown(() => secure.stop())
  for (const [url, reason] of [[`rediss://127.0.0.1:${plain.port}`, /./], [`rediss://127.0.0.1:${tlsPort}`, /self.signed|altnames/i], [`redis://127.0.0.1:${tlsPort}`, /./]] as const) {
    const { link } = connect(new Redis(url, { lazyConnect: true }))
    await until(`a reason for ${reason.source}`, () => link.reason !== 'not connected yet' && reason.test(link.reason ?? ''))
    t.equal(link.state, 'down')
  }
  const { link } = connect(new Redis(`rediss://127.0.0.1:${tlsPort}`, { lazyConnect: true, tls: { rejectUnauthorized: false } }))
  await isUp(link)
})

t.test('each refusal of the server is a state with its reason, and passes', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const admin = new Redis(server.port, '127.0.0.1')
  t.teardown(() => { admin.disconnect() })
  const { link } = await connected(new Redis(server.url, { lazyConnect: true }))

  await admin.config('SET', 'maxmemory', '1')
  await t.rejects(link.send('SET', 'a', 'b'), { code: 'FST_RSP_REDIS_REPLY', reply: 'OOM', outcome: 'refused' })
  t.match(link, { state: 'degraded', reason: /^OOM/ })
  await admin.config('SET', 'maxmemory', '0')
  await isUp(link)

  await admin.replicaof('127.0.0.1', String(await freePort()))
  await t.rejects(link.send('SET', 'a', 'b'), { code: 'FST_RSP_REDIS_REPLY', reply: 'READONLY' })
  t.match(link, { state: 'degraded', reason: /READONLY/ })
  await admin.replicaof('NO', 'ONE')
  await isUp(link)

  await admin.config('SET', 'maxclients', '1')
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  await until('it is down', () => link.state === 'down')
  await admin.config('SET', 'maxclients', '1000')
  await isUp(link)
})

t.test('closing waits for what is under way, takes no more, and leaves nothing open', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const { link } = await connected(new Redis(server.url, { lazyConnect: true }))
  const asked = link.send('INCR', 'n')
  const closing = link.close()
  await t.rejects(link.send('GET', 'a'), { code: 'FST_RSP_REDIS_CLOSED', outcome: 'not-sent' })
  t.equal(await asked, 1)
  await closing
  const admin = new Redis(server.port, '127.0.0.1')
  t.teardown(() => { admin.disconnect() })
  await until('only the asker is left', async () => String(await admin.client('LIST')).trim().split('\n').length === 1)
})

t.test('a pause of this process is no time-out of the server\'s', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const { link } = await connected(new Redis(server.url, { lazyConnect: true }), { deadlineMs: 100, breaker: { failures: 1, probeEveryMs: 60_000 } })
  const asked = link.send('PING')
  await new Promise(resolve => setImmediate(resolve)) // written
  const endMs = performance.now() + 400
  while (performance.now() < endMs); // nothing else runs in this process meanwhile
  t.equal(await asked, 'PONG')
  t.equal(link.breakerState, 'closed')
})
