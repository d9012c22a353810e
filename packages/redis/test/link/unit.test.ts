import t, { type Test } from 'tap'
import { until } from '@respite/testing'
import { ReplyError } from 'ioredis'
import { refuse } from '../../src/clients/connection.ts'
import { defineScript } from '../../src/script.ts'
import { becomes, mockedLink, sentBy } from './mocked-link.ts'

const put = defineScript('test.put', "redis.call('SET', KEYS[1], ARGV[1]); return ARGV[1]")
const secret = "ERR unknown command 'AUHT', with args beginning with: 's3same'"
const refusals: { message: string, reply: string, state: 'up' | 'degraded', reason?: RegExp }[] = [
  { message: "OOM command not allowed when used memory > 'maxmemory'.", reply: 'OOM', state: 'degraded', reason: /^OOM/ },
  { message: 'LOADING Redis is loading the dataset in memory', reply: 'LOADING', state: 'degraded', reason: /^LOADING/ },
  { message: 'NOAUTH Authentication required.', reply: 'NOAUTH', state: 'degraded', reason: /^NOAUTH/ },
  { message: 'MISCONF Redis is configured to save RDB snapshots', reply: 'MISCONF', state: 'degraded', reason: /^MISCONF/ },
  { message: 'WRONGTYPE Operation against a key', reply: 'WRONGTYPE', state: 'up' },
  { message: 'NOPERM this user has no permissions', reply: 'NOPERM', state: 'up' },
  { message: secret, reply: 'ERR', state: 'up' },
  // Before Redis 7 what a command in a script is refused with stands behind the script's own error, as Dragonfly has it too.
  { message: "ERR Error running script (call to f_5bec): @user_script:6: NOGROUP No such key 'a' or consumer group 'b'", reply: 'NOGROUP', state: 'up' },
  { message: "ERR Error running script (call to f_5bec): @user_script:6: @user_script: 6: -OOM command not allowed when used memory > 'maxmemory'.", reply: 'OOM', state: 'degraded', reason: /OOM/ },
  { message: 'ERR Error running script (call to f_5bec): @user_script:6: @user_script: 6: Wrong number of args', reply: 'ERR', state: 'up' }
]

/** A call whose deadline passes; the server stays silent. */
async function unanswered (t: Test, { link, adapter, clock }: Pick<Awaited<ReturnType<typeof mockedLink>>, 'link' | 'adapter' | 'clock'>, afterMs = 20) {
  adapter.hush()
  const asked = link.send('GET', 'a')
  clock.nowMs += afterMs
  await t.rejects(asked, { code: 'FST_RSP_REDIS_TIMEOUT' })
}

t.test('text, bytes, numbers and lists come back as such', async t => {
  const { link } = await mockedLink(t)
  t.equal(await link.send('set', 'a', 'é'), 'OK')
  t.equal(await link.send('GET', 'a'), 'é')
  t.same(await link.sendBytes('GET', 'a'), Buffer.from('é'))
  t.equal(await link.send('INCR', 'n'), 1)
  t.equal(await link.send('GET', 'nothing'), null)
  await link.send('HSET', 'h', 'f', 'v')
  t.same(await link.send('HGETALL', 'h'), ['f', 'v'])
  t.same(link.features, { server: 'redis', version: '6.2.0', cluster: false, tracking: true, shardedPubSub: false, scriptFlags: false, increx: false, hsetex: false, era: true, maxmemoryPolicy: undefined })
})

t.test('a script that the server does not know is loaded once for all who wait', async t => {
  const { link, adapter } = await mockedLink(t)
  const many = Array.from({ length: 20 }, (_, i) => String(i))
  t.same(await Promise.all(many.map(i => link.run(put, [i], [i]))), many)
  t.equal(sentBy(adapter).filter(name => name === 'SCRIPT').length, 1)
  t.equal(await link.run(put, ['a'], ['b']), 'b')
  t.equal(sentBy(adapter).filter(name => name === 'SCRIPT').length, 1)
})

t.test('each refusal of the server', async t => {
  t.jobs = refusals.length // they wait more than they work
  for (const { message, reply, state, reason } of refusals) {
    t.test(`${message.startsWith('ERR Error running') ? 'in a script ' : ''}${reply}: the call is refused, the link is ${state}, and up when it is over`, { buffered: true }, async t => {
      const { link, adapter, clock, lines } = await mockedLink(t, { breaker: { failures: 1 } })
      adapter.refuse(message)
      for (let i = 0; i < 3; i++) {
        await t.rejects(link.send('SET', 'a', 'b'), { name: 'FastifyError', code: 'FST_RSP_REDIS_REPLY', outcome: 'refused', reply, cause: new ReplyError(message) })
      }
      t.equal(link.state, state)
      t.match(link.reason, reason)
      t.equal(link.breakerState, 'closed', 'who answers is no failure')
      adapter.refuse()
      t.equal(await link.send('SET', 'a', 'b'), 'OK', 'whatever the state, it is asked')
      if (state === 'degraded') {
        const asked = adapter.sent.length
        await until('the server was asked how it is', () => adapter.sent.length > asked)
        await new Promise(resolve => setImmediate(resolve)) // and has answered
        t.equal(link.state, state, 'it does not come and go with every answer')
        clock.nowMs = 2_000
        await becomes(link, 'up')
      }
      t.same(lines, state === 'up' ? ['Redis is up'] : ['Redis is up', 'Redis is degraded', 'Redis is back'])
    })
  }
})

t.test('a replica is asked for nothing, since what it answers may be old, until it is one no more', async t => {
  const { link, adapter, clock } = await mockedLink(t)
  const message = "READONLY You can't write against a read only replica."
  adapter.refuse(message)
  await t.rejects(link.send('SET', 'a', 'b'), { code: 'FST_RSP_REDIS_REPLY', outcome: 'refused', reply: 'READONLY', cause: new ReplyError(message) })
  await becomes(link, 'degraded')
  await until('it is known', async () => await link.send('GET', 'a').then(() => '', ({ message }: Error) => message) === "Redis refused 'GET': READONLY the server is a replica")
  const sent = sentBy(adapter).length
  for (const command of ['GET', 'SET', 'PUBLISH']) await t.rejects(link.send(command, 'a', 'b'), { code: 'FST_RSP_REDIS_REPLY', outcome: 'refused', reply: 'READONLY' })
  await t.rejects(link.run(put, ['a'], ['b']), { code: 'FST_RSP_REDIS_REPLY', reply: 'READONLY' })
  t.equal(sentBy(adapter).length, sent)
  t.match(link, { state: 'degraded', reason: /^READONLY/, breakerState: 'closed' })
  adapter.refuse()
  clock.nowMs = 2_000
  await until('it is asked again', () => link.send('GET', 'a').then(() => true, () => false))
  await becomes(link, 'up')
})

t.test('what the server repeats of the arguments is not in the message', async t => {
  const { link, adapter } = await mockedLink(t)
  adapter.refuse(secret)
  await t.rejects(link.send('AUHT', 's3same'), { message: /^Redis refused 'AUHT': ERR unknown command 'AUHT'$/ })
})

t.test('a server that takes no more clients is down, by its own word, until it takes them', async t => {
  const { link, adapter, lines } = await mockedLink(t)
  adapter.lose(new ReplyError('ERR max number of clients reached'))
  t.match(link, { state: 'down', reason: 'ERR max number of clients reached' })
  await t.rejects(link.send('GET', 'a'), { code: 'FST_RSP_REDIS_DOWN', outcome: 'not-sent' })
  t.same(sentBy(adapter), [])
  adapter.connect()
  await becomes(link, 'up')
  t.equal(await link.send('GET', 'a'), null)
  t.same(lines, ['Redis is up', 'Redis is down', 'Redis is back'])
})

t.test('a silent server costs each call its deadline; what it answers later is told to nobody', async t => {
  const { link, adapter, clock } = await mockedLink(t, { deadlineMs: 20 })
  const answers: (Error | null)[] = []
  adapter.hush()
  link.call(put, ['late'], ['1'], error => { answers.push(error) })
  const asked = link.send('INCR', 'n')
  clock.nowMs += 20
  await t.rejects(asked, { code: 'FST_RSP_REDIS_TIMEOUT', outcome: 'unknown', message: "'INCR' got no answer within 20 ms" })
  adapter.speak()
  t.equal(await link.send('GET', 'n'), '1', 'it was executed all the same')
  t.match(answers, [{ code: 'FST_RSP_REDIS_TIMEOUT' }])
  t.equal(answers.length, 1)
  t.equal(sentBy(adapter).filter(name => name === 'SCRIPT').length, 0, 'and what it wants later is not given')
})

t.test('after so many failures nothing is sent, until a probe is answered', async t => {
  const { link, adapter, clock } = await mockedLink(t, { deadlineMs: 20, breaker: { failures: 3, probeEveryMs: 10 } })
  const sent = () => sentBy(adapter).length
  for (let i = 0; i < 3; i++) {
    t.equal(link.breakerState, 'closed', `after ${i} failures`)
    await unanswered(t, { link, adapter, clock })
  }
  t.match(link, { breakerState: 'open', state: 'down', reason: 'no answer within 20 ms' })
  await t.rejects(link.send('GET', 'a'), { code: 'FST_RSP_REDIS_DOWN', outcome: 'not-sent' })
  for (const probe of [1, 2]) {
    await until(`probe ${probe}`, () => sent() === 3 + probe)
    t.equal(link.breakerState, 'half-open')
    await t.rejects(link.send('GET', 'a'), { code: 'FST_RSP_REDIS_DOWN', outcome: 'not-sent' }, 'a probe under way lets nobody else through')
    clock.nowMs += 20
  }
  await until('another probe', () => sent() === 6)
  t.same(sentBy(adapter).slice(3), ['PING', 'PING', 'PING'])
  adapter.speak()
  await becomes(link, 'up')
  t.equal(link.breakerState, 'closed')
  t.equal(await link.send('GET', 'a'), null)
})

// Seen: the process was busy when a probe's deadline passed; it was the last probe, and the link stayed down for good.
t.test('a probe that expires while this process pauses is followed by another', async t => {
  const { link, adapter, clock } = await mockedLink(t, { deadlineMs: 20, breaker: { failures: 1, probeEveryMs: 10 } })
  await unanswered(t, { link, adapter, clock })
  await until('a probe', () => sentBy(adapter).length === 2)
  clock.nowMs += 500
  await until('another', () => sentBy(adapter).length === 3)
  adapter.speak()
  await becomes(link, 'up')
})

t.test('what expires while this process pauses is no failure of the server', async t => {
  const { link, adapter, clock } = await mockedLink(t, { deadlineMs: 20, breaker: { failures: 1 } })
  await unanswered(t, { link, adapter, clock }, 31)
  t.equal(link.breakerState, 'closed')
  await unanswered(t, { link, adapter, clock }, 30)
  t.equal(link.breakerState, 'open', 'half a deadline is not a pause')
})

t.test('only failures in a row count: an answer, and be it a refusal, begins anew', async t => {
  const { link, adapter, clock } = await mockedLink(t, { deadlineMs: 20, breaker: { failures: 2 } })
  await unanswered(t, { link, adapter, clock })
  adapter.speak()
  await link.send('GET', 'a')
  await unanswered(t, { link, adapter, clock })
  adapter.speak()
  adapter.refuse('WRONGTYPE Operation against a key')
  await t.rejects(link.send('GET', 'a'), { code: 'FST_RSP_REDIS_REPLY' })
  adapter.refuse()
  await unanswered(t, { link, adapter, clock })
  t.equal(link.breakerState, 'closed')
  await unanswered(t, { link, adapter, clock })
  t.equal(link.breakerState, 'open')
})

t.test('an answer that comes too late closes no breaker', async t => {
  const { link, adapter, clock } = await mockedLink(t, { deadlineMs: 20, breaker: { failures: 1 } })
  await unanswered(t, { link, adapter, clock })
  adapter.speak()
  await new Promise(resolve => setImmediate(resolve)) // it has come
  t.equal(link.breakerState, 'open')
})

t.test('what fails in one moment is one failure', async t => {
  const { link, adapter, clock } = await mockedLink(t, { deadlineMs: 20, breaker: { failures: 2 } })
  adapter.hush()
  const settled = Promise.allSettled(Array.from({ length: 50 }, () => link.send('GET', 'a')))
  clock.nowMs += 20
  await settled
  t.equal(link.breakerState, 'closed')
})

t.test('a new connection closes the breaker: what failed on the old one says nothing of it', async t => {
  const { link, adapter, clock } = await mockedLink(t, { deadlineMs: 20, breaker: { failures: 1 } })
  await unanswered(t, { link, adapter, clock })
  t.equal(link.breakerState, 'open')
  adapter.lose()
  adapter.connect()
  await becomes(link, 'up')
  t.equal(link.breakerState, 'closed')
  t.same(sentBy(adapter), ['GET'], 'without a probe')
})

t.test('generation grows with each loss and each return; the era is not known in between', async t => {
  const { link, adapter } = await mockedLink(t)
  const heard: number[] = []
  const stop = link.on('generation', generation => { heard.push(generation) })
  const [{ generation }, era] = [link, link.eraOf('a')]
  t.type(era, 'string')
  adapter.lose()
  t.equal(link.generation, generation + 1)
  t.equal(link.eraOf('a'), undefined)
  adapter.connect()
  await becomes(link, 'up')
  t.equal(link.generation, generation + 2)
  t.equal(link.eraOf('a'), era, 'it is the same data set')
  stop()
  adapter.lose()
  t.same(heard, [generation + 1, generation + 2])
})

t.test('what is under way when the connection breaks is lost, and not sent again', async t => {
  const { link, adapter } = await mockedLink(t, { breaker: { failures: 2 } })
  adapter.hush()
  const settled = Promise.allSettled([link.send('INCR', 'n'), link.send('INCR', 'n')])
  const cause = new Error('read ECONNRESET')
  adapter.lose(cause)
  for (const result of await settled) t.match(result, { status: 'rejected', reason: { code: 'FST_RSP_REDIS_LOST', outcome: 'unknown', cause } })
  t.match(link, { state: 'down', reason: 'read ECONNRESET', breakerState: 'closed' })
  adapter.connect()
  await becomes(link, 'up')
  t.same(sentBy(adapter), ['INCR', 'INCR'])
})

t.test('what the client refuses to write, though it has told of no loss yet, is certainly not sent', async t => {
  const { link, adapter } = await mockedLink(t)
  adapter.exec = refuse
  await t.rejects(link.send('INCR', 'n'), { code: 'FST_RSP_REDIS_DOWN', outcome: 'not-sent' })
  let returned = false
  const told = new Promise<boolean>(resolve => link.call(put, ['a'], ['b'], () => { resolve(returned) }))
  returned = true
  t.equal(await told, true, 'and no callback comes before its call has returned')
})

t.test('within a shorter deadline one waits less, and all else is shared', async t => {
  const { link, adapter, clock } = await mockedLink(t, { breaker: { failures: 1 } })
  const short = link.within(20)
  t.equal(link.within(60_000), link)
  adapter.hush()
  const [patient, hurried] = [link.send('GET', 'a'), short.send('GET', 'a')]
  clock.nowMs += 20
  await t.rejects(hurried, { code: 'FST_RSP_REDIS_TIMEOUT', message: /20 ms/ })
  t.equal(link.breakerState, 'open', 'its failures are those of the server')
  t.same([short.state, short.reason, short.generation], [link.state, link.reason, link.generation])
  adapter.speak()
  t.equal(await patient, null, 'who has more time waits on')
  t.equal(link.breakerState, 'closed')
})

t.test('closing waits for what is under way, refuses what comes, and closes the connection after', async t => {
  const { link, adapter } = await mockedLink(t)
  adapter.hush()
  const asked = link.send('INCR', 'n')
  const closing = link.close()
  await t.rejects(link.send('GET', 'a'), { code: 'FST_RSP_REDIS_CLOSED', outcome: 'not-sent' })
  await t.rejects(link.within(5).send('GET', 'a'), { code: 'FST_RSP_REDIS_CLOSED' })
  t.equal(adapter.closed, 0)
  adapter.speak()
  t.equal(await asked, 1)
  await Promise.all([closing, link.close()])
  t.equal(adapter.closed, 1)
  t.same(sentBy(adapter), ['INCR'])
})

// Seen: an app with a long deadline stayed for all of it after it was closed, though every call was answered.
t.test('closed, it keeps no process alive, however long its deadlines', async t => {
  const timers = () => process.getActiveResourcesInfo().filter(name => name === 'Timeout').length
  const before = timers()
  const { link } = await mockedLink(t)
  await link.send('GET', 'a')
  await link.within(50_000).send('GET', 'a')
  t.ok(timers() > before, 'while it is open')
  await link.close()
  t.equal(timers(), before)
})

t.test('closing waits for a silent server no longer than one deadline', async t => {
  const { link, adapter } = await mockedLink(t, { deadlineMs: 20 })
  adapter.hush()
  const patient = t.rejects(link.within(60_000).send('GET', 'a'), { code: 'FST_RSP_REDIS_LOST', outcome: 'unknown' })
  await link.close()
  await patient
  t.equal(adapter.closed, 1)
})
