import { fork } from 'node:child_process'
import { once } from 'node:events'
import { createKeyspace } from '@respite/redis'
import { until } from '@respite/testing'
import t from 'tap'
import { RedisStore } from '../../src/stores/redis.ts'
import { fakeClock, secret, storeParts } from '../assemble.ts'
import { connected, redisOf } from '../linked.ts'
import type { Observed } from './process.ts'

const flushEveryMs = 500
// A flush is late where the machine is busy; a time of ours bounds it all the same.
const slackMs = 1_500

t.test('C7: kill -9 loses what was observed in the last flush interval at most, and nothing before', async t => {
  const { server } = await redisOf(t)
  const app = await connected(t, { url: server.url })
  const child = fork(new URL('./process.ts', import.meta.url), [], { env: { ...process.env, TRACKING_PROCESS: JSON.stringify({ url: server.url, key: secret, flushEveryMs }) } })
  t.teardown(() => child.kill('SIGKILL'))
  const observed: Observed[] = []
  child.on('message', (told: Observed) => { observed.push(told) })
  const goneBy = flushEveryMs + slackMs
  await until('events of twice the time that may be lost', () => observed.length > 0 && observed.at(-1)!.atMs - observed[0]!.atMs > 2 * goneBy, 60_000)
  const gone = once(child, 'exit')
  const killedMs = Date.now()
  child.kill('SIGKILL')
  t.same(await gone, [null, 'SIGKILL'])

  const parts = storeParts(fakeClock(killedMs))
  const store = new RedisStore(app.respite.link, { ...parts, keyspace: createKeyspace('respite') })
  const counted = await store.calls('ping', 'all')
  const lost = observed.filter(({ events }) => events > counted)
  t.ok(counted > 0)
  t.ok(observed.length - lost.length > observed.length / 4, `${counted} of ${observed.length} are counted`)
  t.same(lost.filter(({ atMs }) => killedMs - atMs > goneBy), [], 'none that was lost is older than that')
  const day = await store.count('ping', [parts.calendar.bucketsOf(killedMs)[2]!], parts.keyId)
  if (counted <= 256) t.same(day, { value: counted, exact: true }, 'no flush is there in part')
  t.equal(await store.calls('ping', [parts.calendar.bucketsOf(killedMs)[2]!]), counted)
})
