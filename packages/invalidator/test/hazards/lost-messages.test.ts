import t from 'tap'
import { randomToken } from '@respite/redis'
import { seeded, startRedis, until } from '@respite/testing'
import { assemble } from '../assemble.ts'

const server = await startRedis()
t.teardown(() => server.stop())
const ttlMs = 1_000

interface Row { version: number, run: number }

t.test('R12: on-event with one message in ten lost: what was told is dropped, what was not ends by its time to live', async t => {
  const chance = seeded(t)
  const keyPrefix = randomToken()
  // Two caches that share nothing but the bus, as those of two regions.
  const [here, there] = await Promise.all(['here', 'there'].map(async prefix => {
    const app = await assemble({ url: server.url, keyPrefix, boot: 'wait' }, {}, { prefix })
    t.teardown(() => app.close())
    app.invalidator.define('user', { strategy: 'on-event', keys: (user: { id: number }) => [`user:${user.id}`] })
    await app.ready()
    return app
  })) as [Awaited<ReturnType<typeof assemble>>, Awaited<ReturnType<typeof assemble>>]
  const { link } = here.respite
  const send = link.send.bind(link)
  const told: boolean[] = []
  link.send = (command, ...args) => {
    if (command !== 'PUBLISH' || !String(args[0]).endsWith('{invalidate}')) return send(command, ...args)
    // The last is lost too: no later one tells of it.
    told.push(told.length < 99 && chance.below(10) > 0)
    return told.at(-1) === true ? send(command, ...args) : Promise.resolve(1)
  }

  const ids = Array.from({ length: 10 }, (_, i) => i)
  const versions = ids.map(() => 0)
  const storedBy: number[] = []
  const read = async (id: number): Promise<Row> => {
    let run: number | undefined
    const row = await there.cache.getOrSet<Row>(`user:${id}`, () => {
      run = storedBy.push(Infinity) - 1
      return { version: versions[id]!, run }
    }, { ttl: ttlMs })
    if (run !== undefined) storedBy[run] = performance.now()
    return row
  }
  const during = { reading: true }
  let [old, latestMs] = [0, -Infinity]
  const reader = async () => {
    while (during.reading) {
      for (const id of ids) {
        const now = performance.now() // before the read
        const { version, run } = await read(id)
        if (version < versions[id]!) old++
        latestMs = Math.max(latestMs, now - storedBy[run]!)
      }
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  const readers = reader()
  for (let change = 0; change < 100; change++) {
    const id = change % ids.length
    await until('it is read', async () => (await read(id)).version === versions[id])
    versions[id]!++
    const report = await here.invalidator.afterUpdate('user', undefined, { id })
    t.match(report, { published: true, queued: 0 })
    if (told[change]) await until('what was told is dropped', async () => (await read(id)).version === versions[id])
  }
  await until('the rest has ended by its time', async () => (await Promise.all(ids.map(read))).every(({ version }, id) => version === versions[id]))
  during.reading = false
  await readers
  const lost = told.filter(one => !one).length
  t.comment(`${lost} of ${told.length} messages lost, ${old} old reads, at most ${Math.round(latestMs)} ms after they were stored`)
  t.equal(told.length, 100)
  t.ok(lost > 0 && old > 0)
  // Redis counts whole milliseconds.
  t.ok(latestMs < ttlMs + 2, `read ${Math.round(latestMs)} ms after it was stored`)
})
