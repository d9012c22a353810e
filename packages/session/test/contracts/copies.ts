import Fastify, { type FastifyInstance } from 'fastify'
import redis, { randomToken, type RedisOptions } from '@respite/redis'
import { until } from '@respite/testing'
import type { Test } from 'tap'
import { Copies, type Held } from '../../src/copies.ts'
import type { ReadReply } from '../../src/copy-reads.ts'
import { copyFields, foundInRedis, type FoundSession } from '../../src/found-session.ts'
import { hashOf, newTag } from '../../src/token.ts'

const content = (fields: Record<string, unknown> = {}, ttlMs = 60_000) => ({
  version: 1,
  ttlMs,
  fields: copyFields({ sid: 'sid', userId: 'ada', capped: false, rememberMs: undefined, fields: new Map(Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)])) })
})

/** What Redis must do for sessions; run once for each kind of client and server. */
export function copiesContract (t: Test, options: (t: Test) => Promise<RedisOptions>): void {
  let app: FastifyInstance
  let copies: Copies

  t.before(async () => {
    app = Fastify()
    await app.register(redis, { ...await options(t), deadlineMs: '2s' })
    t.teardown(() => app.close())
    await app.ready()
    copies = new Copies(app.respite.link, app.respite.keyspace)
    await until('Redis', () => app.respite.link.state === 'up' && app.respite.link.eraOf('any') !== undefined)
  })

  const held = (tag = newTag()): Held => copies.hold({ tag, hash: hashOf(randomToken()) })
  const read = (of: Held) => new Promise<ReadReply>((resolve, reject) => {
    const sent = copies.read(of, (error, reply) => { if (error) reject(error); else resolve(reply!) })
    if (!sent) reject(new TypeError('the era is not known'))
  })
  const filled = async (of: Held, fields: Record<string, unknown> = {}) => {
    const [, n, g] = await read(of) as ['MISS', string, string]
    return await copies.fill(of, { n, g }, content(fields))
  }
  const found = async (of: Held) => {
    const reply = await read(of)
    return reply[0] === 'HIT' ? foundInRedis(of.hash, reply) : reply[0]
  }

  t.test('finds what was filled, field by field, for users in many slots', async t => {
    const strange = { cart: ['tea'], 'näme:{*}\n': '\u0000 ☃ \ud800', empty: '' }
    for (let i = 0; i < 30; i++) {
      const one = held()
      t.equal(await filled(one, strange), 1)
      const session = await found(one)
      t.match(session, { sid: 'sid', userId: 'ada', version: 1, untouchable: false })
      if (typeof session === 'string') continue
      t.ok(session.leftMs > 50_000 && session.leftMs <= 60_000)
      for (const [name, value] of Object.entries(strange)) t.equal(session.flat[session.flat.indexOf(`f:${name}`) + 1], JSON.stringify(value))
    }
  })

  t.test('refuses a fill on a lease from before a kill, a rotation of the gate or a loss', async t => {
    const one = held()
    const [, n, g] = await read(one) as ['MISS', string, string]
    await copies.kill(one.tag, [{ hash: one.hash, dead: false }])
    t.equal(await copies.fill(one, { n, g }, content()), 0)
    const again = await read(one) as ['MISS', string, string]
    await copies.dropGate(one.tag)
    t.equal(await copies.fill(one, { n: again[1], g: again[2] }, content()), 0)
    t.equal(await found(one), 'MISS')
  })

  t.test('a dead one is refused, and not filled', async t => {
    const one = held()
    await filled(one)
    await copies.kill(one.tag, [{ hash: one.hash, dead: true }])
    t.equal(await found(one), 'DEAD')
    const other = held()
    await copies.bury(other)
    t.equal(await found(other), 'DEAD')
  })

  t.test('a login ends its victims and stores the new copy; without its lease it only ends them', async t => {
    const tag = newTag()
    const [first, second, third] = [held(tag), held(tag), held(tag)]
    await filled(first)
    const lease = await copies.lease(tag)
    t.equal(await copies.activate(tag, [second.hash, first.hash], lease, content()), 1)
    t.equal(await found(first), 'DEAD')
    t.match(await found(second), { sid: 'sid' })
    t.equal(await copies.activate(tag, [third.hash, second.hash], lease, content()), 0)
    t.equal(await found(second), 'DEAD')
    t.equal(await found(third), 'MISS')
    t.equal(await copies.activate(tag, [third.hash], undefined, content()), 0)
  })

  t.test('applies a save to the version before it, and drops what is older', async t => {
    const one = held()
    await filled(one, { a: 1, b: 2 })
    const delta = { set: new Map([['c', '3']]), deleted: ['a'] }
    t.equal(await copies.save(one.tag, one.hash, 2, delta), 1)
    const session = await found(one) as FoundSession
    t.equal(session.version, 2)
    t.notOk(session.flat.includes('f:a'))
    t.ok(session.flat.includes('f:c'))
    t.equal(await copies.save(one.tag, one.hash, 2, delta), 2)
    t.equal(await copies.save(one.tag, one.hash, 9, delta), 0)
    t.equal(await found(one), 'MISS')
    t.equal(await copies.save(one.tag, one.hash, 10, delta), 0)
    t.equal(await found(one), 'MISS', 'a save never creates')
  })

  t.test('saves into a copy before its row, tells what the row has not, and takes the marks off', async t => {
    const one = held()
    const delta = (set: Record<string, string>, deleted: string[] = [], loaded = 1) => ({ set: new Map(Object.entries(set)), deleted, loaded })
    const how = { all: false, maxBytes: 200 }
    t.equal(await copies.keep(one, delta({ a: '1' }), how), undefined)
    t.equal(await found(one), 'MISS', 'it never creates')
    await filled(one, { a: 1, b: 2 })
    t.equal(await copies.unsaved(one), undefined)
    t.equal(await copies.keep(one, delta({ a: '"ä"' }, ['b']), how), 2)
    t.match(await found(one), { unsaved: true, version: 1 })
    const first = (await copies.unsaved(one))!
    t.same([first.copyVersion, first.changes.get('a')!.json, first.changes.get('b')!.json], [1, '"ä"', undefined])
    t.equal(await copies.keep(one, delta({ a: '3' }), how), 2)
    t.ok((await copies.unsaved(one))!.seq > first.seq)
    t.equal(await copies.settle(one, { seq: first.seq, version: 2, drop: true }), false, 'it has a newer change')
    t.equal(await copies.settle(one, { seq: first.seq, version: 2, drop: false }), true)
    t.same([...(await copies.unsaved(one))!.changes.keys()], ['a'])
    t.equal(await copies.keep(one, delta({ a: '4' }), how), undefined, 'the row has gone ahead since it was loaded')
    t.equal(await copies.keep(one, delta({ c: '5' }, [], 2), { all: true, maxBytes: 200 }), 2)
    t.same([...(await found(one) as FoundSession).flat].filter(text => text.startsWith('f:')), ['f:c'])
    await t.rejects(copies.keep(one, delta({ d: `"${'ä'.repeat(100)}"` }, [], 2), how), { code: 'FST_RSP_SESSION_TOO_LARGE', message: /would have 215 bytes/ })
    const { seq } = (await copies.unsaved(one))!
    t.equal(await copies.settle(one, { seq, version: 3, drop: false }), true)
    t.match(await found(one), { version: 3, unsaved: undefined })
    t.equal(await copies.settle(one, { seq: 0, version: 0, drop: true }), true)
    t.equal(await found(one), 'MISS')
    await copies.kill(one.tag, [{ hash: one.hash, dead: true }])
    t.equal(await copies.keep(one, delta({ a: '1' }, [], 9), how), undefined)
    t.equal(await copies.settle(one, { seq, version: 3, drop: true }), true)
    t.equal(await found(one), 'DEAD')
  })

  t.test('a fill does not replace a copy that has changes of its own, nor one by a lease from before such a copy went', async t => {
    const one = held()
    const [, n, g] = await read(one) as ['MISS', string, string]
    await copies.fill(one, { n, g }, content({ a: 1 }))
    await copies.keep(one, { set: new Map([['a', '2']]), deleted: [], loaded: 1 }, { all: false, maxBytes: 200 })
    t.equal(await copies.fill(one, { n, g }, { ...content({ a: 1 }), version: 5 }), 2)
    t.ok((await found(one) as FoundSession).flat.includes('2'))
    await copies.settle(one, { seq: Number.MAX_SAFE_INTEGER, version: 0, drop: true })
    t.equal(await copies.fill(one, { n, g }, content({ a: 1 })), 0)
  })

  t.test('a touch prolongs and marks', async t => {
    const one = held()
    await filled(one)
    t.equal(await copies.touch(one, 500_000, ['c', '1']), 1)
    const session = await found(one) as FoundSession
    t.equal(session.untouchable, true)
    t.ok(session.leftMs > 400_000)
    t.equal(await copies.touch(held(), 500_000, []), 0)
  })

  t.test('dropping the gate ends all copies of the user', async t => {
    const tag = newTag()
    const all = [held(tag), held(tag)]
    for (const one of all) await filled(one)
    await copies.dropGate(tag)
    for (const one of all) t.equal(await found(one), 'MISS')
  })

  t.test('a server that has lost its scripts is given them again', async t => {
    const one = held()
    await filled(one)
    await app.respite.link.send('SCRIPT', 'FLUSH')
    t.match(await found(one), { sid: 'sid' })
  })
}
