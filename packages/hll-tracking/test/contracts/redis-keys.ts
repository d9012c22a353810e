import { createKeyspace, type Link, randomToken } from '@respite/redis'
import { until } from '@respite/testing'
import { readFileSync } from 'node:fs'
import type { Test } from 'tap'
import { sizeMs } from '../../src/buckets.ts'
import { RedisStore } from '../../src/stores/redis.ts'
import { maxBatchAgeMs, rememberedMs } from '../../src/stores/store.ts'
import { assemble, fakeClock, keep, storeParts } from '../assemble.ts'

/** One server, asked past the link. */
export type Ask = (command: string, ...args: (string | number)[]) => Promise<unknown>

/**
 * What rests in Redis, and how long.
 * @param ask - of the one server there is
 */
export function redisKeysContract (t: Test, linkOf: () => Link, ask: Ask): void {
  const fresh = (capacity?: { total: number, bucket: number }, zones?: string[]) => {
    const clock = fakeClock()
    const parts = storeParts(clock, capacity, zones)
    const prefix = randomToken()
    const store = new RedisStore(linkOf(), { ...parts, keyspace: createKeyspace(prefix) })
    const root = `${prefix}:v1:track:{ping}:`
    const keys = async () => (await ask('KEYS', `${prefix}:v1:track:[{]*`) as string[]).map(key => key.slice(root.length)).sort()
    return { clock, root, names: `${prefix}:v1:track:names`, keys, keyId: parts.keyId, ...assemble(store, parts) }
  }

  t.test('C3: every key has an expiry: its bucket\'s, set once, or that of the totals', async t => {
    const { clock, root, names, keys, keyId, tracking } = fresh(undefined, ['UTC', 'Asia/Kathmandu'])
    tracking.observe('ping', 'alice')
    await tracking.flush()
    const all = await keys()
    const distinct = ['202605101234', '2026051012', '20260510', '20260510%40Asia%2FKathmandu']
    t.same(all, [
      ...['c', 't'].flatMap(part => [...distinct, 'all'].map(bucket => `${part}:${bucket}`)),
      ...['f', 'u'].flatMap(part => distinct.map(bucket => `${part}:${keyId}:${bucket}`)),
      'o:here'
    ].sort())
    const lives = new Map(await Promise.all(all.map(async key => [key, Number(await ask('PTTL', root + key))] as const)))
    for (const [bucket, mostMs] of [['202605101234', keep.minute + 2 * sizeMs.minute], ['2026051012', keep.hour + sizeMs.hour + sizeMs.minute], ['20260510', keep.day + sizeMs.day + sizeMs.minute]] as const) {
      for (const key of [`c:${bucket}`, `t:${bucket}`, `u:${keyId}:${bucket}`, `f:${keyId}:${bucket}`]) {
        t.ok(lives.get(key)! > Math.max(0, mostMs - sizeMs.day) && lives.get(key)! <= mostMs, `${key} lives ${lives.get(key)} ms`)
      }
    }
    t.ok(Array.from(lives.values()).every(ms => ms > 0 && ms <= keep.day + 3 * sizeMs.day), 'none for ever')
    t.same(await ask('ZRANGE', names, 0, -1), ['ping'])
    const namesMs = Number(await ask('PTTL', names))
    t.ok(namesMs > keep.day + sizeMs.day && namesMs <= keep.day + 3 * sizeMs.day, 'names outlive what they name')
    await tracking.erase('nobody')
    const erasedMs = Number(await ask('PTTL', root + 'e'))
    for (const ms of [erasedMs, lives.get('o:here')!]) t.ok(ms > maxBatchAgeMs && ms <= rememberedMs, 'an erasure and a sequence are remembered longer than a batch is sent again')
    await ask('DEL', root + 'e')

    for (const key of all) await ask('PEXPIRE', root + key, 60_000)
    clock.nowMs += 1_000
    tracking.observe('ping', 'bob')
    await tracking.flush()
    for (const key of all) {
      const ms = await ask('PTTL', root + key) as number
      if (/:all$|^o:/.test(key)) t.ok(ms > 60_000, `${key} lives on from its last event`)
      else t.ok(ms > 0 && ms <= 60_000, `${key} keeps the expiry it has`)
    }
  })

  t.test('who is erased before the first flush of another process is in none of its metrics', async t => {
    const clock = fakeClock()
    const keyspace = createKeyspace(randomToken())
    const process = (origin: string) => {
      const parts = storeParts(clock)
      return assemble(new RedisStore(linkOf(), { ...parts, keyspace }), parts, { origin }).tracking
    }
    const [here, there] = [process('here'), process('there')]
    for (const who of ['alice', 'bob']) there.observe('orders', who)
    const names = keyspace.define('track:names').key()
    await until('the metric to be noted', async () => await ask('ZCARD', names) === 1)
    t.same(await here.erase('alice'), { metrics: 1, entries: 0 })
    t.same(await there.top('orders'), [{ id: 'bob', count: 1, maxOver: 0 }])
  })

  // Seen: one key of a foreign type, and nobody could be erased from any metric that comes after it.
  t.test('a metric that cannot be read keeps no other from an erasure or an export, which say so in the end', async t => {
    const { root, tracking } = fresh()
    for (const metric of ['a', 'ping', 'z']) tracking.observe(metric, 'alice')
    await tracking.flush()
    await ask('SET', root + 't:all', 'not a sorted set')
    await t.rejects(tracking.export('alice'), { code: 'FST_RSP_REDIS_REPLY', reply: 'WRONGTYPE' })
    await t.rejects(tracking.erase('alice'), { code: 'FST_RSP_REDIS_REPLY', reply: 'WRONGTYPE' })
    t.same([...await tracking.top('a'), ...await tracking.top('z')], [])
    await ask('DEL', root + 't:all')
    t.match(await tracking.export('alice'), [{ metric: 'ping' }])
    await tracking.erase('alice')
    t.same(await tracking.export('alice'), [])
  })

  t.test('an id is erased also in the last millisecond of its bucket, when a key has 0 left', async t => {
    const script = readFileSync(new URL('../../lua/erase.lua', import.meta.url), 'utf8')
    const inLastMs = script.replace("redis.call('PTTL', few)", '0')
    t.not(inLastMs, script)
    const prefix = randomToken()
    const [registers, few] = [`${prefix}:u`, `${prefix}:f`]
    await ask('PFADD', registers, 'AAAAAAAA', 'BBBBBBBB')
    await ask('SET', few, 'AAAAAAAABBBBBBBB')
    const keys = ['e', 't:all', 'c:all', 't', 'c'].map(name => `${prefix}:${name}`)
    t.equal(await ask('EVAL', inLastMs, 7, ...keys, registers, few, 60_000, 10, 1, 'AAAAAAAA', 'pA'), 1)
    await until('what was left to expire', async () => await ask('EXISTS', registers, few) === 0)
  })

  t.test('lists and sets are bounded, whoever comes', async t => {
    const { root, keys, keyId, tracking } = fresh({ total: 40, bucket: 16 })
    for (let i = 0; i < 1_200; i++) tracking.observe('ping', `user:${i}`)
    t.equal(await tracking.calls('ping'), 1_200)
    t.equal(await ask('ZCARD', root + 't:all'), 40)
    t.equal(await ask('ZCARD', root + 't:20260510'), 16)
    t.ok(Number(await ask('HLEN', root + 'c:all')) <= 43)
    t.ok(Number(await ask('HLEN', root + 'c:20260510')) <= 19)
    t.notOk((await keys()).some(key => key.startsWith('f:')), 'no few when there are many')
    t.equal((await tracking.active()).dau.exact, false)
    t.notOk((await keys()).includes('x'), 'and nothing is left of a union')
    t.equal(await ask('PFCOUNT', `${root}u:${keyId}:20260510`), (await tracking.unique('ping').count({ since: '12h' })).value, 'any client counts the same')
    t.ok((await tracking.top('ping', { k: 40 })).every(({ count, maxOver }) => count - maxOver <= 1 && count >= 1 && maxOver <= 1_200 / 40))
  })

  t.test('a list whose capacity was lowered shrinks to it, and stays true', async t => {
    const clock = fakeClock()
    const keyspace = createKeyspace(randomToken())
    const within = (total: number, origin: string) => {
      const parts = storeParts(clock, { total, bucket: 16 })
      return assemble(new RedisStore(linkOf(), { ...parts, keyspace }), parts, { origin }).tracking
    }
    const [before, after] = [within(5_000, 'before'), within(16, 'after')]
    for (let i = 0; i < 5_000; i++) before.observe('ping', `user:${i}`)
    for (let i = 0; i < 3; i++) before.observe('ping', 'often')
    await before.flush()
    for (let i = 0; i < 4; i++) {
      after.observe('ping', `late:${i}`)
      await after.flush()
    }
    t.equal(await ask('ZCARD', keyspace.define('track:{<metric>}:t:all').key('ping')), 16)
    t.ok((await after.top('ping', { k: 16 })).every(({ id, count, maxOver }) => count - maxOver <= (id === 'often' ? 3 : 1) && count >= 1))
    t.equal(await after.calls('ping'), 5_007)
  })

  t.test('no id rests in Redis in clear', async t => {
    await ask('CONFIG', 'SET', 'rdbcompression', 'no')
    const { root, keys, tracking } = fresh()
    for (const id of ['alice@example.org', 'visitor with a long and telling name', '203.0.113.77']) tracking.observe('ping', id)
    await tracking.flush()
    for (const key of await keys()) {
      const dump = String(await ask('DUMP', root + key)) + key
      t.notMatch(dump, /alice|telling|203\.0/, key)
    }
    t.same((await tracking.top('ping')).map(({ id }) => id).sort(), ['203.0.113.77', 'alice@example.org', 'visitor with a long and telling name'])
  })
}
